"""Questions about names that are not ours, passed on to the resolvers of the machine itself.

A forwarded packet is passed through untouched but for its id, over the transport that the client chose, so that what
the client and the upstream say about sizes, flags and signatures reaches the other side.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import struct
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Literal

from network.resolver.message import MAX_SIZE, REFUSED, SERVFAIL, matches, rcode

Transport = Literal["udp", "tcp"]

TIMEOUT = 3.0
MOST_SILENCES = 2
MOST_IN_FLIGHT = 1024
REST = 30.0


class Unanswered(Exception):
    """No upstream gave an answer: none is configured, all refuse, are silent, or too many questions are under way."""


class Upstreams:
    """The servers that resolv.conf names, read again whenever that file changes.

    `excluded` gives the addresses never to ask: our own, or a question would go round in circles.
    """

    def __init__(self, resolv_conf: Path, excluded: Callable[[], Collection[str]]) -> None:
        self._path = resolv_conf
        self._excluded = excluded
        self._stamp: tuple[int, int, int] | None = None
        self._named: tuple[str, ...] = ()

    def servers(self) -> tuple[str, ...]:
        """The servers to ask, in the file's order. Where the file names none, 127.0.0.1 (resolv.conf(5))."""
        stamp = self._read_stamp()
        if stamp is None or stamp != self._stamp:
            self._stamp, self._named = stamp, self._read()
        excluded = self._excluded()
        return tuple(server for server in self._named if server not in excluded)

    def _read_stamp(self) -> tuple[int, int, int] | None:
        try:
            status = os.stat(self._path)
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino, status.st_size

    def _read(self) -> tuple[str, ...]:
        try:
            text = self._path.read_text(errors="replace")
        except OSError:
            return ("127.0.0.1",)
        lines = (line.split() for line in text.splitlines())
        named = [words[1] for words in lines if len(words) > 1 and words[0] == "nameserver"]
        return tuple(dict.fromkeys(named)) or ("127.0.0.1",)


class Forwarder:
    """Asks upstreams on behalf of clients; a server that failed is asked last for the next half minute."""

    def __init__(self, upstreams: Upstreams, port: int = 53, timeout: float = TIMEOUT) -> None:
        self._upstreams = upstreams
        self._port = port
        self._timeout = timeout
        self._in_flight = 0
        self._resting: dict[str, float] = {}

    async def ask(self, packet: bytes, transport: Transport) -> bytes:
        """The reply to `packet`, with the id it came with. Raises Unanswered, at once where every server refuses.

        A server's own failure (SERVFAIL, REFUSED) is passed on only when no other server does better.
        """
        if self._in_flight >= MOST_IN_FLIGHT:
            raise Unanswered(f"{MOST_IN_FLIGHT} questions are under way already")
        self._in_flight += 1
        try:
            reply = await self._ask_in_turn(secrets.token_bytes(2) + packet[2:], transport)
        finally:
            self._in_flight -= 1
        return packet[:2] + reply[2:]

    async def _ask_in_turn(self, packet: bytes, transport: Transport) -> bytes:
        exchange = _over_udp if transport == "udp" else _over_tcp
        failure: bytes | None = None
        silences = 0
        for server in self._order():
            try:
                async with asyncio.timeout(self._timeout):
                    reply = await exchange(server, self._port, packet)
            except (OSError, EOFError) as error:
                self._resting[server] = asyncio.get_running_loop().time() + REST
                silences += isinstance(error, TimeoutError)
                if silences == MOST_SILENCES:
                    break
                continue
            self._resting.pop(server, None)
            if rcode(reply) not in (SERVFAIL, REFUSED):
                return reply
            failure = reply
        if failure is None:
            raise Unanswered("no upstream server answered")
        return failure

    def _order(self) -> tuple[str, ...]:
        """The servers to try, one after the other; a single one twice, as a datagram may be lost."""
        now = asyncio.get_running_loop().time()
        servers = sorted(self._upstreams.servers(), key=lambda server: self._resting.get(server, 0.0) > now)
        return tuple(servers * 2 if len(servers) == 1 else servers)


async def _over_udp(server: str, port: int, packet: bytes) -> bytes:
    """One question from a port of its own: the kernel's random choice, which a forger would have to guess."""
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        sock.connect((server, port))
        await loop.sock_sendall(sock, packet)
        while True:
            reply = await loop.sock_recv(sock, MAX_SIZE)
            if matches(reply, packet):
                return reply


async def _over_tcp(server: str, port: int, packet: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(server, port)
    try:
        writer.write(struct.pack("!H", len(packet)) + packet)
        (size,) = struct.unpack("!H", await reader.readexactly(2))
        reply = await reader.readexactly(size)
    finally:
        writer.close()
    if not matches(reply, packet):
        raise ConnectionError(f"{server} answered another question")
    return reply
