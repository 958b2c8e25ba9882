"""Listening sockets, bound before anything else so that a port that is taken is one sentence at start.

DoorError    the address cannot be listened on; the text says who has it, or what to do
"""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

BACKLOG = 1_000
# For each connection that is taken: a client that vanished without a word is noticed after a minute or so, however long
# it has nothing to say, and what lies in between does not forget a terminal that is silent.
KEEPALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
)
_LISTEN = "0A"


class DoorError(Exception):
    """A door cannot be opened. The text is a sentence for a person."""


def listen(host: str, port: int) -> socket.socket:
    """A TCP socket that listens; connections wait in it to be served. Port 0 takes a free one. Raises DoorError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for option in KEEPALIVE:
        sock.setsockopt(*option)
    if host == "::":
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    return _bound(sock, (host, port), lambda error: _why(error, host, port))


def listen_unix(path: Path) -> socket.socket:
    """A unix socket that only its owner may connect to, in the place of an earlier one. Raises DoorError."""
    if path.exists() and not stat.S_ISSOCK(path.stat().st_mode):
        raise DoorError(f"{path} is there and no socket; move it away")
    path.unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # The mode must be right from the first moment: chmod after bind would leave a gap.
    mask = os.umask(0o177)
    try:
        return _bound(sock, str(path), lambda error: f"cannot listen on {path}: {error.strerror}")
    finally:
        os.umask(mask)


def describe(sock: socket.socket) -> str:
    """`host:port`, or the path."""
    name = sock.getsockname()
    if isinstance(name, str):
        return name
    host, port = name[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _bound(sock: socket.socket, name: tuple[str, int] | str, why: Callable[[OSError], str]) -> socket.socket:
    try:
        sock.bind(name)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise DoorError(why(error)) from error
    sock.setblocking(False)
    return sock


def _why(error: OSError, host: str, port: int) -> str:
    place = f"port {port} on {host}"
    match error.errno:
        case errno.EADDRINUSE:
            return f"{place} is taken{holder(port)}: stop that, or choose another port"
        case errno.EADDRNOTAVAIL:
            return f"cannot listen on {host}: this machine has no such address"
        case errno.EACCES:
            return f"{place} needs more rights: run as root, or choose a port above 1023"
        case _:
            return f"cannot listen on {place}: {error.strerror}"


def holder(port: int, proc: Path = Path("/proc")) -> str:
    """` by NAME (pid N)` for the process that listens on a TCP port, as far as /proc tells; else empty."""
    process = process_on(port, proc)
    return f" by {_name(process)} (pid {process.name})" if process else ""


def process_on(port: int, proc: Path = Path("/proc")) -> Path | None:
    """The folder in /proc of the process that listens on a TCP port; None where there is none that we may see."""
    sockets = {f"socket:[{inode}]" for inode in _listeners(port, proc)}
    for process in proc.iterdir() if sockets else ():
        if process.name.isdigit() and sockets & set(_links(process / "fd")):
            return process
    return None


def _listeners(port: int, proc: Path) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        try:
            lines = (proc / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                yield fields[9]


def _links(folder: Path) -> Iterator[str]:
    """What a process' descriptors are, as far as they are ours to see and still there."""
    try:
        entries = list(folder.iterdir())
    except OSError:
        return
    for entry in entries:
        try:
            yield os.readlink(entry)
        except OSError:
            continue


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "a process"
