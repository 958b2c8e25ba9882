"""The parts of the resolver joined together, from the control socket up to the end of the process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from network.resolver.control import Control
from network.resolver.handover import Pair
from network.resolver.listener import Listeners
from network.resolver.resolver import Resolver
from network.resolver.terms import MOST_BYTES, SOCKET, VERSION
from network.resolver.upstream import Forwarder, Upstreams


@dataclass(frozen=True, slots=True)
class Setting:
    """What a resolver needs to know: its runtime directory, the DNS port, and the file that names its upstreams."""

    directory: Path
    port: int
    resolv_conf: Path


@dataclass(frozen=True, slots=True)
class Succession:
    """The end of a resolver that is to be replaced: by which command, and the open sockets to hand on."""

    command: tuple[str, ...]
    sockets: Mapping[str, Pair]


async def serve(
    setting: Setting, inherited: Mapping[str, Pair], ready: Callable[[], None], log: Callable[[str], None]
) -> Succession | None:
    """Answer until told to stop, by the control socket or SIGTERM. Calls `ready` once it answers."""
    forwarder = Forwarder(Upstreams(setting.resolv_conf, lambda: listeners.addresses()), setting.port)
    resolver = Resolver(forwarder)
    listeners = Listeners(resolver, setting.port, inherited)
    control = Control(setting.directory, resolver, listeners, log)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, control.stopping.set)
    control.restore()
    path = setting.directory / SOCKET
    server = await asyncio.start_unix_server(control.converse, sock=_bind(path), limit=MOST_BYTES)
    binding = asyncio.create_task(control.keep_binding())
    log(f"resolver {os.getpid()} answers, version {VERSION}, zones {resolver.zones.serial}")
    ready()
    await control.stopping.wait()
    binding.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await binding
    server.close()
    if control.successor:
        log(f"resolver {os.getpid()} makes place for {' '.join(control.successor)}")
        return Succession(control.successor, await listeners.release())
    listeners.close()
    log(f"resolver {os.getpid()} was told to stop")
    return None


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
