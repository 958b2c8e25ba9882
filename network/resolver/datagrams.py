"""The UDP side of one gateway address."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from network.resolver.message import MAX_SIZE, Query
from network.resolver.resolver import Resolver

BATCH = 64


class Datagrams:
    """Answers the datagrams of one bound socket: what is known in the same turn of the loop, the rest when it comes.

    A reply that the kernel does not take at once is dropped: over UDP the client asks again.
    """

    def __init__(self, resolver: Resolver, gateway: str, sock: socket.socket) -> None:
        self._resolver = resolver
        self._gateway = gateway
        self._socket = sock
        self._forwards: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(sock, self._read)

    def pause(self) -> None:
        """Read no more: what comes from now on waits in the socket."""
        self._loop.remove_reader(self._socket)

    def busy(self) -> bool:
        """Whether questions are under way upstream."""
        return bool(self._forwards)

    def close(self) -> None:
        """Close the socket, and forget the questions that are under way."""
        self.pause()
        for task in self._forwards:
            task.cancel()
        self._socket.close()

    def _read(self) -> None:
        """Read what has come, but not for ever: TCP and the control socket want their turn in a flood."""
        for _ in range(BATCH):
            try:
                packet, client = self._socket.recvfrom(MAX_SIZE)
            except OSError:
                return
            reply = self._resolver.decide(packet, client[0], self._gateway, "udp")
            if isinstance(reply, Query):
                task = self._loop.create_task(self._forward(reply, client))
                self._forwards.add(task)
                task.add_done_callback(self._forwards.discard)
            elif reply is not None:
                self._send(reply, client)

    async def _forward(self, query: Query, client: tuple[str, int]) -> None:
        self._send(await self._resolver.forward(query, "udp"), client)

    def _send(self, reply: bytes, client: tuple[str, int]) -> None:
        with contextlib.suppress(OSError):
            self._socket.sendto(reply, client)
