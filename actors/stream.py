"""A stream between a machine and who asks something of it, as actors know it, and how one is served.

HungUp    the other side of a stream is gone, or was not reached
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import anyio

from actors import protocol
from engine.port import EngineError, EngineUnavailable

# How long the other side may take to hear the last word and to hang up.
PARTING_SECONDS = 10.0


class HungUp(Exception):
    """The other side of a stream is gone, or was not reached. The text says why, as far as anybody knows."""


class Stream(Protocol):
    """Messages there and back, in order. One task receives. After a cancelled `send` it is to be left."""

    async def send(self, message: object, /) -> None:
        """Send, waiting while the other side takes no more. Raises HungUp."""

    async def receive(self) -> object:
        """Return the next message. Raises HungUp. May be cancelled and called again."""

    async def gone(self) -> None:
        """Wait until the other side has hung up."""


Open = Callable[[str], AbstractAsyncContextManager[Stream]]
"""Opens the stream of that name to who asked for it, and closes it in the end. Raises HungUp, and lets none through."""

Work = Callable[[Stream], Awaitable[object]]
"""Serves a stream and returns its last word. Raises EngineError or HungUp."""


async def serve(stream: Stream, work: Work) -> None:
    """Do the work and say the last word, or stop where the other side hangs up."""
    async with anyio.create_task_group() as group:
        group.start_soon(_stop_with, stream, group.cancel_scope)
        try:
            try:
                last = await work(stream)
            except EngineError as error:
                last = protocol.Failed(str(error), down=isinstance(error, EngineUnavailable))
            await stream.send(last)
            with anyio.move_on_after(PARTING_SECONDS):
                await stream.gone()
        except HungUp:
            pass  # it does not want to know any more
        group.cancel_scope.cancel()


async def _stop_with(stream: Stream, scope: anyio.CancelScope) -> None:
    await stream.gone()
    scope.cancel()
