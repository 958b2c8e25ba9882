"""A channel over two streams of bytes that others move: what goes out is kept until fetched, what comes in is fed."""

from __future__ import annotations

from collections import deque

import anyio
import anyio.lowlevel

from transport.channel import ChannelClosed, Peer
from transport.pulse import Pulse

# So many bytes may wait in either direction: enough to keep both sides busy, too little to make an ask wait for long.
MOST_WAITING = 64 * 1024


class Bytes:
    """Bytes from one task to another, within a bound. `close` lets no more in; what waits can still be taken."""

    def __init__(self) -> None:
        self.closed = ""
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._change = Pulse()

    async def put(self, data: bytes) -> None:
        """Add to the end, waiting while too much waits. Raises ChannelClosed."""
        await anyio.lowlevel.checkpoint()
        while self._size >= MOST_WAITING and not self.closed:
            await self._change.wait()
        if self.closed:
            raise ChannelClosed(self.closed)
        self._chunks.append(data)
        self._size += len(data)
        self._change.beat()

    async def take(self) -> bytes:
        """Take all that waits, at least one byte. Raises ChannelClosed at the end."""
        await anyio.lowlevel.checkpoint()
        while not self._chunks:
            if self.closed:
                raise ChannelClosed(self.closed)
            await self._change.wait()
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._size = 0
        self._change.beat()
        return data

    def close(self, reason: str) -> None:
        """Let no more in. The first reason counts."""
        self.closed = self.closed or reason
        self._change.beat()


class StreamChannel:
    """A `transport.channel.Channel`. Whoever owns the streams moves `outgoing` out and puts into `incoming`."""

    def __init__(self, peer: Peer, conduit: str = "") -> None:
        self.peer = peer
        self.conduit = conduit
        self.incoming = Bytes()
        self.outgoing = Bytes()
        self.over = anyio.Event()
        """Set once closed."""
        self.flushed = anyio.Event()
        """To be set by who moves `outgoing`, once that is at its end."""

    async def send(self, data: bytes, /) -> None:
        await self.outgoing.put(data)

    async def receive(self) -> bytes:
        return await self.incoming.take()

    def close(self) -> None:
        self.end("closed")

    def end(self, reason: str) -> None:
        """Close it, for that reason. What waits in either direction is still moved."""
        self.incoming.close(reason)
        self.outgoing.close(reason)
        self.over.set()
