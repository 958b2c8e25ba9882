"""The parts of the resolver joined together, from the control socket up to the end of the process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

from network.resolver.control import MOST_BYTES, SOCKET, Control
from network.resolver.listener import Listeners
from network.resolver.resolver import Resolver
from network.resolver.upstream import Forwarder, Upstreams


async def serve(
    directory: Path, port: int, resolv_conf: Path, ready: Callable[[], None], log: Callable[[str], None]
) -> int:
    """Answer until told to stop, by the control socket or SIGTERM; the exit code. Calls `ready` once it answers."""
    forwarder = Forwarder(Upstreams(resolv_conf, lambda: listeners.addresses()), port)
    resolver = Resolver(forwarder)
    listeners = Listeners(resolver, port)
    control = Control(directory, resolver, listeners, log)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, control.stopping.set)
    await control.restore()
    server = await asyncio.start_unix_server(control.converse, sock=_bind(directory / SOCKET), limit=MOST_BYTES)
    binding = asyncio.create_task(control.keep_binding())
    log(f"resolver {os.getpid()} answers, zones {resolver.zones.serial}")
    ready()
    await control.stopping.wait()
    binding.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await binding
    server.close()
    listeners.close()
    log(f"resolver {os.getpid()} was told to stop")
    return 0


def _bind(path: Path) -> socket.socket:
    """The control socket, for its owner alone from its first moment. What lies there is of a resolver that died."""
    path.unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    before = os.umask(0o177)
    try:
        sock.bind(os.fspath(path))
    finally:
        os.umask(before)
    return sock
