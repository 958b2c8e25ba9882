"""A stream between two tasks of one process."""

from __future__ import annotations

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from actors.stream import HungUp

# Messages on their way before a sender waits: enough that neither side waits for each single one.
IN_FLIGHT = 8

ENDED = "the other side has hung up"


class PipeEnd:
    """An `actors.stream.Stream`; its owner closes it."""

    def __init__(
        self, out: MemoryObjectSendStream[object], into: MemoryObjectReceiveStream[object], over: anyio.Event
    ) -> None:
        self._out = out
        self._into = into
        self._over = over

    async def send(self, message: object, /) -> None:
        try:
            await self._out.send(message)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            raise HungUp(ENDED) from error

    async def receive(self) -> object:
        try:
            return await self._into.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError) as error:
            raise HungUp(ENDED) from error

    async def gone(self) -> None:
        await self._over.wait()

    def close(self) -> None:
        """Hang up: what was sent before can still be received. Idempotent."""
        self._out.close()
        self._into.close()
        self._over.set()


def pipe() -> tuple[PipeEnd, PipeEnd]:
    """Both ends of a new one."""
    over = anyio.Event()
    there, into_there = anyio.create_memory_object_stream[object](IN_FLIGHT)
    here, into_here = anyio.create_memory_object_stream[object](IN_FLIGHT)
    return PipeEnd(there, into_here, over), PipeEnd(here, into_there, over)
