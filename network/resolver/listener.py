"""The sockets of the resolver: UDP and TCP on each gateway address, so that a reply leaves from the address asked."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from network.resolver.datagrams import Datagrams
from network.resolver.handover import Pair
from network.resolver.resolver import Resolver
from network.resolver.streams import Streams

GRACE = 0.5
TURN = 0.01

RECEIVE_BUFFER = 4 * 1024 * 1024  # bytes; the kernel's own choice overflows at some 280 questions

# linux/in.h and asm-generic/socket.h; the socket module does not name them
_IP_FREEBIND = 15
_SO_RCVBUFFORCE = 33


@dataclass(frozen=True, slots=True)
class _Listener:
    pair: Pair
    datagrams: Datagrams
    streams: Streams

    def pause(self) -> None:
        self.datagrams.pause()
        self.streams.pause()

    def busy(self) -> bool:
        return self.datagrams.busy() or self.streams.busy()

    def close(self) -> None:
        self.datagrams.close()
        self.streams.close()


class Listeners:
    """The addresses listened on. An address need not exist yet: its bridge may be made later, or made anew."""

    def __init__(self, resolver: Resolver, port: int, inherited: Mapping[str, Pair]) -> None:
        """`inherited` sockets are used the first time that their address is wanted."""
        self._resolver = resolver
        self._port = port
        self._inherited = dict(inherited)
        self._open: dict[str, _Listener] = {}
        self._errors: dict[str, str] = {}

    def addresses(self) -> Collection[str]:
        """The addresses that are bound."""
        return self._open.keys()

    def errors(self) -> Mapping[str, str]:
        """Why an address could not be bound, for each that was wanted in vain."""
        return dict(self._errors)

    def listen(self, wanted: Collection[str]) -> None:
        """Bind what is wanted and not bound, try again what failed before, and close what is no longer wanted."""
        self._errors = {}
        for address in wanted:
            if address not in self._open:
                self._bind(address)
        for address in self._open.keys() - set(wanted):
            self._open.pop(address).close()

    async def release(self) -> dict[str, Pair]:
        """Close everything here, but let go of no address: its sockets come back open, and new questions wait in them.

        What is under way has GRACE seconds to end.
        """
        released = {address: (each.pair[0].dup(), each.pair[1].dup()) for address, each in self._open.items()}
        for listener in self._open.values():
            listener.pause()
        for _ in range(round(GRACE / TURN)):
            if not any(listener.busy() for listener in self._open.values()):
                break
            await asyncio.sleep(TURN)
        self.close()
        return released

    def close(self) -> None:
        """Close every socket."""
        for listener in self._open.values():
            listener.close()
        self._open.clear()

    def _bind(self, address: str) -> None:
        try:
            pair = self._inherited.pop(address, None) or _bound_pair(address, self._port)
        except OSError as error:
            self._errors[address] = f"{error.strerror or error} (port {self._port})"
            return
        datagrams, streams = pair
        self._open[address] = _Listener(
            pair, Datagrams(self._resolver, address, datagrams), Streams(self._resolver, address, streams)
        )


def _bound_pair(address: str, port: int) -> Pair:
    """Both sockets of an address, or none."""
    datagrams = _bound(address, port, socket.SOCK_DGRAM)
    try:
        return datagrams, _bound(address, port, socket.SOCK_STREAM)
    except OSError:
        datagrams.close()
        raise


def _bound(address: str, port: int, kind: socket.SocketKind) -> socket.socket:
    sock = socket.socket(socket.AF_INET, kind | socket.SOCK_NONBLOCK)
    try:
        sock.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            with contextlib.suppress(PermissionError):  # it takes CAP_NET_ADMIN, and names resolve without it
                sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER)
        sock.bind((address, port))
        if kind == socket.SOCK_STREAM:
            sock.listen()  # two sockets may be bound to one port, and only the second to listen is told
    except OSError:
        sock.close()
        raise
    return sock
