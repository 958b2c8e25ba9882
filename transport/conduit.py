"""A stream of messages between two nodes, over a channel of its own and with flow control of its own.

What is long or lasting (a log, a terminal) would hold up a link and what is urgent on it. Its frames are

    message    M: a tag, a space, a body, as the codec writes them
    credit     C: how many bytes of messages were taken (u32)

and neither end sends more than a window ahead of what the other has taken. So who reads slowly holds up whoever writes
to it, and nobody's memory grows.
"""

from __future__ import annotations

import logging
import struct
from collections import deque

import anyio
import anyio.lowlevel

from transport.channel import Channel, ChannelClosed
from transport.codec import CodecError, JsonCodec
from transport.frames import Cutter, FrameError, framed
from transport.pulse import Pulse

# What may be on its way: enough for several megabytes a second at a round trip of 50 ms.
WINDOW = 256 * 1024
MAX_MESSAGE = 4 * 1024 * 1024

MESSAGE, CREDIT = b"MC"

_COUNT = struct.Struct(">I")

log = logging.getLogger(__name__)


class Conduit:
    """One end. `run` is to run beside all else. After a cancelled `send` it is to be closed."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.closed = ""
        """Why it has ended; empty while it has not."""
        self._codec = JsonCodec(MAX_MESSAGE)
        self._turn = anyio.Lock()
        self._ahead = 0
        self._arrived: deque[tuple[object, int]] = deque()
        self._held = 0
        self._taken = 0
        self._change = Pulse()

    async def send(self, message: object, /) -> None:
        """Send a message, waiting while the peer takes no more. Raises ChannelClosed, and CodecError for no message."""
        content = self._codec.encode(message)
        while self._ahead >= WINDOW and not self.closed:
            await self._change.wait()
        if self.closed:
            raise ChannelClosed(self.closed)
        self._ahead += len(content)
        await self._put(MESSAGE, content)

    async def receive(self) -> object:
        """Return the next message. Raises ChannelClosed at the end, once all that arrived was taken.

        May be cancelled and called again.
        """
        await anyio.lowlevel.checkpoint()
        while not self._arrived:
            if self.closed:
                raise ChannelClosed(self.closed)
            await self._change.wait()
        message, size = self._arrived[0]
        if self._taken + size >= WINDOW // 2:
            await self._give_credit(self._taken + size)
            self._taken = -size
        self._arrived.popleft()
        self._held -= size
        self._taken += size
        return message

    async def gone(self) -> None:
        """Wait until it has ended."""
        while not self.closed:
            await self._change.wait()

    def close(self, reason: str = "closed") -> None:
        """End it, here and there. The first reason counts."""
        self.closed = self.closed or reason
        self.channel.close()
        self._change.beat()

    async def run(self) -> None:
        """Take in what arrives, until the end."""
        peer = self.channel.peer.node
        reason, cutter = f"{peer} is read no more", Cutter(MAX_MESSAGE + 1024)
        try:
            while True:
                for kind, content in cutter.cut(await self.channel.receive()):
                    self._take(kind, content)
                self._change.beat()
        except ChannelClosed as error:
            reason = str(error)
        except (FrameError, CodecError) as error:
            reason = f"{peer} sent what cannot be read: {error}"
            log.warning("%s", reason)
        finally:
            self.close(reason)

    def _take(self, kind: int, content: bytes) -> None:
        if kind == MESSAGE:
            self._held += len(content)
            if self._held > WINDOW + MAX_MESSAGE:
                raise FrameError("it sent more than it has credit for")
            self._arrived.append((self._codec.decode(content), len(content)))
        elif kind == CREDIT and len(content) == _COUNT.size:
            self._ahead -= _COUNT.unpack(content)[0]
        else:
            raise FrameError(f"no frame of a conduit is of the kind {kind} with {len(content)} bytes")

    async def _give_credit(self, taken: int) -> None:
        try:
            await self._put(CREDIT, _COUNT.pack(taken))
        except ChannelClosed:
            pass  # what arrived before can be taken

    async def _put(self, kind: int, content: bytes) -> None:
        async with self._turn:
            await self.channel.send(framed(kind, content))
