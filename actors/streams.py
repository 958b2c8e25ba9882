"""Opens streams to who asks this machine for what is long or lasting, and serves them by its engine.

Each is a job of its own. It ends when its work does, when the other side hangs up, or with this actor.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import anyio

from actors import protocol
from engine.port import Engine, EngineError
from supervisor.actor import Actor, Context, ReplyTo
from supervisor.message import message
from supervisor.spec import ChildSpec

STREAMS = "streams"
MOST_STREAMS = 256
# How long the other side may take to hear the last word and to hang up.
PARTING_SECONDS = 10.0

log = logging.getLogger(__name__)


class HungUp(Exception):
    """The other side of a stream is gone, or was not reached. The text says why, as far as anybody knows."""


class Stream(Protocol):
    """Messages there and back, in order. One task sends, one receives; after a cancelled call it is to be left."""

    async def send(self, message: object, /) -> None:
        """Send, waiting while the other side takes no more. Raises HungUp."""

    async def receive(self) -> object:
        """Return the next message. Raises HungUp."""

    async def gone(self) -> None:
        """Wait until the other side has hung up."""


Open = Callable[[str], AbstractAsyncContextManager[Stream]]
"""Opens the stream of that name to who asked for it, and closes it in the end. Raises HungUp, and lets none through."""

Work = Callable[[Stream], Awaitable[object]]
"""Serves a stream and returns its last word. Raises EngineError or HungUp."""


@message("stream.ended/1")
@dataclass(frozen=True, slots=True)
class Ended:
    """A stream has ended, from this actor to itself."""

    stream: str


def streams(engine: Engine, open: Open) -> ChildSpec:
    """The actor as a child of a worker's root, to be started after its links."""
    return ChildSpec(STREAMS, partial(StreamsActor, engine, open))


class StreamsActor(Actor):
    """Answers `OpenLogs`. No more than `MOST_STREAMS` are open at a time."""

    def __init__(self, engine: Engine, open: Open) -> None:
        self._engine = engine
        self._open = open
        self._serving: dict[str, str] = {}

    async def receive(self, message: object, ctx: Context) -> None:
        """Begin a stream, or note that one has ended."""
        match message:
            case protocol.OpenLogs(stream, container):
                self._begin(stream, f"logs of {container}", partial(send_logs, self._engine, message), ctx)
            case Ended(stream):
                self._serving.pop(stream, None)

    def describe(self) -> dict[str, object]:
        """What inspection shows beside the runtime's own figures."""
        return {"serving": sorted(self._serving.values())}

    def _begin(self, stream: str, what: str, work: Work, ctx: Context) -> None:
        if len(self._serving) >= MOST_STREAMS:
            text = f"this machine serves {MOST_STREAMS} streams already (logs, exec): end some of them first"
            ctx.reply(protocol.Failed(text))
            return
        self._serving[stream] = what
        ctx.spawn(stream, self._serve, stream, work, ctx.reply_to)

    async def _serve(self, stream: str, work: Work, reply_to: ReplyTo) -> Ended:
        try:
            async with self._open(stream) as opened:
                reply_to.send(protocol.DoneWell())
                await serve(opened, work)
        except HungUp as error:
            reply_to.send(protocol.Failed(f"the stream could not be opened: {error}"))
        return Ended(stream)


async def serve(stream: Stream, work: Work) -> None:
    """Do the work and say the last word, or stop where the other side hangs up."""
    async with anyio.create_task_group() as group:
        group.start_soon(_stop_with, stream, group.cancel_scope)
        try:
            try:
                last = await work(stream)
            except EngineError as error:
                last = protocol.Failed(str(error))
            await stream.send(last)
            with anyio.move_on_after(PARTING_SECONDS):
                await stream.gone()
        except HungUp:
            pass  # it does not want to know any more
        group.cancel_scope.cancel()


async def _stop_with(stream: Stream, scope: anyio.CancelScope) -> None:
    await stream.gone()
    scope.cancel()


async def send_logs(engine: Engine, wanted: protocol.OpenLogs, stream: Stream) -> protocol.DoneWell:
    """Send a container's output. Who takes nothing holds up what is read of the engine."""
    logs = engine.logs(wanted.container, follow=wanted.follow, tail=wanted.tail, since=wanted.since)
    async with aclosing(logs) as batches:
        async for lines in batches:
            await stream.send(protocol.LogLines(tuple(lines)))
    return protocol.DoneWell()
