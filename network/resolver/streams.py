"""The TCP side of one gateway address (RFC 7766)."""

from __future__ import annotations

import asyncio
import struct

from network.resolver.message import Query
from network.resolver.resolver import Resolver

IDLE = 10.0
MOST_CONNECTIONS = 64


class Streams:
    """Serves the clients of one address, each its questions in turn, until it hangs up or idles.

    Connections beyond a limit are closed at once: a client that holds them open must not starve the others.
    """

    def __init__(self, resolver: Resolver, gateway: str) -> None:
        self._resolver = resolver
        self._gateway = gateway
        self._connections = 0

    def busy(self) -> bool:
        """Whether connections are open."""
        return self._connections > 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        self._connections += 1
        try:
            if self._connections <= MOST_CONNECTIONS:
                await self._converse(reader, writer)
        except (OSError, EOFError):
            pass  # it hung up or idled: its own affair
        finally:
            self._connections -= 1
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client: str = writer.get_extra_info("peername")[0]
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
