"""Ports of this machine, and connections from it."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.doctor.facts import Port, Reach
from cli.doctor.finding import Unseen
from portal.sockets import holder, process_on
from transport.identity.joining import Address

CONNECT_SECONDS = 3.0
OURS = ("gbnt", "gubernator")


def port(number: int, use: str) -> Port:
    """Who listens on a port of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", number))
            probe.listen()
        except OSError as error:
            return _taken(number, use, error)
    return Port(number, use)


def reach(address: Address) -> Reach:
    """Whether a connection to there comes about."""
    try:
        socket.create_connection((address.host, address.port), CONNECT_SECONDS).close()
    except TimeoutError:
        return Reach(str(address), f"no answer within {CONNECT_SECONDS:.0f} s", silent=True)
    except OSError as error:
        return Reach(str(address), (error.strerror or str(error)).lower())
    return Reach(str(address))


class Listening:
    """Hears whether somebody connects to a port; where another process has it, nobody knows."""

    def __init__(self, sock: socket.socket | None) -> None:
        self._sock = sock

    def heard(self) -> bool | None:
        """Whether somebody has connected; None where this process could not listen."""
        if self._sock is None:
            return None
        try:
            self._sock.accept()[0].close()
        except BlockingIOError:
            return False
        return True


@contextmanager
def listening(number: int) -> Iterator[Listening]:
    """Listen on a port for as long as the context lasts. The kernel takes connections in meanwhile."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setblocking(False)
        try:
            sock.bind(("", number))
            sock.listen()
        except OSError:
            yield Listening(None)
            return
        yield Listening(sock)


def _taken(number: int, use: str, error: OSError) -> Port:
    if error.errno != errno.EADDRINUSE:
        return Port(number, use, Unseen(error.strerror or str(error)))
    process = process_on(number)
    if process is None:
        return Port(number, use, Unseen("it is taken, by a process that this user may not look at"))
    return Port(number, use, holder(number).removeprefix(" by "), ours=_is_gbnt(process))


def _is_gbnt(process: Path) -> bool:
    try:
        words = (process / "cmdline").read_text(errors="replace").split("\0")
    except OSError:
        return False
    return "serve" in words and any(Path(word).name in OURS for word in words)
