"""The TCP side of one gateway address (RFC 7766)."""

from __future__ import annotations

import asyncio
import socket
import struct

from network.resolver.message import Query
from network.resolver.resolver import Resolver

IDLE = 10.0
MOST_CONNECTIONS = 64


class Streams:
    """Serves the clients of one listening socket, each its questions in turn, until it hangs up or idles.

    Connections beyond a limit are closed at once: a client that holds them open must not starve the others. It accepts
    by itself, as asyncio's server drops what it has accepted in the same turn of the loop as it is closed.
    """

    def __init__(self, resolver: Resolver, gateway: str, sock: socket.socket) -> None:
        self._resolver = resolver
        self._gateway = gateway
        self._socket = sock
        self._connections: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(sock, self._accept)

    def pause(self) -> None:
        """Accept no more: who connects from now on waits in the socket."""
        self._loop.remove_reader(self._socket)

    def busy(self) -> bool:
        """Whether connections are open."""
        return bool(self._connections)

    def close(self) -> None:
        """Close the socket, and cut the connections that are open."""
        self.pause()
        for task in self._connections:
            task.cancel()
        self._socket.close()

    def _accept(self) -> None:
        try:
            connection, client = self._socket.accept()
        except OSError:
            return  # it hung up before its turn came
        if len(self._connections) >= MOST_CONNECTIONS:
            connection.close()
            return
        connection.setblocking(False)
        task = self._loop.create_task(self._serve(connection, client[0]))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, connection: socket.socket, client: str) -> None:
        reader, writer = await asyncio.open_connection(sock=connection)
        try:
            await self._converse(reader, writer, client)
        except (OSError, EOFError):
            pass  # it hung up or idled: its own affair
        finally:
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client: str) -> None:
        while True:
            async with asyncio.timeout(IDLE):
                (size,) = struct.unpack("!H", await reader.readexactly(2))
                packet = await reader.readexactly(size)
            reply = self._resolver.decide(packet, client, self._gateway, "tcp")
            if isinstance(reply, Query):
                reply = await self._resolver.forward(reply, "tcp")
            if reply is None:
                return
            writer.write(struct.pack("!H", len(reply)) + reply)
            async with asyncio.timeout(IDLE):
                await writer.drain()
