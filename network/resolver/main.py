"""The resolver's process: one for each runtime directory, detached from whoever started it.

In the runtime directory lie `resolver.pid` (locked while it lives), `resolver.sock` (0600), `zones.json` and
`resolver.log`. The starting command returns 0 once the resolver answers, or non-zero with a sentence on stderr.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from network.resolver import handover
from network.resolver.handover import Pair
from network.resolver.terms import RUNNING_ALREADY

READY = b"ready"
MOST_LOG_BYTES = 1024 * 1024
MOST_FILES = 8192


def run(runtime_dir: str, *, foreground: bool = False, port: int = 53, resolv_conf: str = "/etc/resolv.conf") -> int:
    """Start the resolver of this runtime directory; the process's exit code.

    Returns 0 as soon as a detached resolver answers, RUNNING_ALREADY where one runs, 1 where none can. With
    `foreground` it waits for the end of one that runs, goes on in its place, and returns 0 when it was told to stop.
    `port` is the one to listen on and the one to ask upstreams on.
    """
    directory = Path(runtime_dir).absolute()
    taken_over = handover.inherited()
    if taken_over is not None:
        lock, sockets = taken_over
        return _serve(directory, port, resolv_conf, lock, sockets, lambda: None)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        held = _lock(directory / "resolver.pid", wait=foreground)
    except OSError as error:
        return _fail(f"the resolver cannot use {directory}: {error.strerror}")
    if held is None:
        return _fail("a resolver runs there already", RUNNING_ALREADY)
    ready = None if foreground else _detach(directory / "resolver.log")
    os.ftruncate(held, 0)
    os.pwrite(held, f"{os.getpid()}\n".encode(), 0)
    _allow_files()
    return _serve(directory, port, resolv_conf, held, {}, lambda: _say_ready(ready))


def main(arguments: Sequence[str]) -> int:
    """The command line: `--runtime-dir DIR [--stop | --foreground] [--port N] [--resolv-conf FILE]`."""
    parser = argparse.ArgumentParser(
        prog="gbnt resolver", description="Answer names for the containers of this machine"
    )
    parser.add_argument("--runtime-dir", required=True)
    parser.add_argument("--foreground", action="store_true", help="stay attached, for a unit or a container of its own")
    parser.add_argument("--stop", action="store_true", help="end the one that runs there; its names resolve no more")
    parser.add_argument("--port", type=int, default=53)
    parser.add_argument("--resolv-conf", default="/etc/resolv.conf")
    options = parser.parse_args(arguments)
    if options.stop:
        return stop(options.runtime_dir)
    return run(options.runtime_dir, foreground=options.foreground, port=options.port, resolv_conf=options.resolv_conf)


def stop(runtime_dir: str) -> int:
    """End the resolver of this runtime directory and wait until it has let go; one that does not run is fine."""
    import socket

    with socket.socket(socket.AF_UNIX) as channel:
        try:
            channel.connect(str(Path(runtime_dir).absolute() / "resolver.sock"))
            channel.sendall(b'{"op":"stop"}\n')
            while channel.recv(4096):
                pass
        except (FileNotFoundError, ConnectionError):
            return 0
    return 0


def _serve(
    directory: Path, port: int, resolv_conf: str, lock: int, sockets: Mapping[str, Pair], ready: Callable[[], None]
) -> int:
    """Serve until told to stop; when told to make place, become the successor, or go on where it cannot be run."""
    # Nothing here speaks TLS, and without ssl asyncio takes 4 MB less (of 20): it is made to be left out.
    sys.modules["ssl"] = None  # type: ignore[assignment]
    import asyncio

    from network.resolver.server import Setting, serve

    setting = Setting(directory, port, Path(resolv_conf))
    while succession := asyncio.run(serve(setting, sockets, ready, _log)):
        sockets, ready = succession.sockets, lambda: None
        try:
            handover.become(succession.command, lock, sockets)
        except OSError as error:
            _log(f"{succession.command[0]} cannot be run, going on as before: {error.strerror}")
    return 0


def _lock(path: Path, *, wait: bool) -> int | None:
    """The descriptor that holds the lock until the process ends; None where another has it and none is to `wait`."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _detach(log: Path) -> int:
    """Go on as a child in a session of its own; the parent stays until the child says that it is ready, or ends.

    Returns, in the child, the descriptor to say it on.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        said = os.read(reading, len(READY))
        if said == READY:
            os._exit(0)
        _, status = os.waitpid(child, 0)
        _fail(f"the resolver ended at its start; {log} says why")
        os._exit(os.waitstatus_to_exitcode(status) or 1)
    os.close(reading)
    os.setsid()
    os.chdir("/")
    os.umask(0o077)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(descriptor, target)
    os.close(nothing)
    os.close(output)
    return writing


def _say_ready(descriptor: int | None) -> None:
    if descriptor is not None:
        with contextlib.suppress(BrokenPipeError):
            os.write(descriptor, READY)
        os.close(descriptor)


def _allow_files() -> None:
    """Each question under way upstream holds a socket: the usual 1,024 descriptors would be used up by those alone."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(MOST_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _log(sentence: str) -> None:
    """Write a line to stderr; a log that has grown too long starts anew."""
    with contextlib.suppress(OSError):
        if os.fstat(2).st_size > MOST_LOG_BYTES:
            os.ftruncate(2, 0)
        os.write(2, f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {sentence}\n".encode())


def _fail(sentence: str, code: int = 1) -> int:
    sys.stderr.write(sentence + "\n")
    return code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
