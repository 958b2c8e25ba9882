"""Follows the Senate on behalf of one reader outside: an actor of its own, so that no reader can hold up another."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from actors.following import FollowAgain, Following
from actors.protocol import Committed, Progress
from portal.backend import Told, TooSlow
from supervisor.actor import Actor, Context
from supervisor.errors import ActorStopped
from supervisor.message import Terminated
from supervisor.spec import ChildSpec, Restart, SupervisorSpec
from supervisor.system import System

PATH = "portal/sessions"
BUFFER = 1_000
RETRY_SECONDS = 0.2


@dataclass(slots=True)
class Place:
    """A place in a reader's buffer, and what is to be read there."""

    told: Told | Progress


@dataclass(slots=True)
class Reader:
    """One reader's buffer, in which the newest state alone is kept; `behind` once it overflowed."""

    stream: MemoryObjectSendStream[Place]
    behind: bool = False
    _newest: Place | None = None

    def take(self, message: Committed | Progress) -> bool:
        """Whether the reader is there and had room for the message."""
        try:
            self.stream.send_nowait(Place(message) if isinstance(message, Progress) else self._commit(message))
        except anyio.WouldBlock:
            self.behind = True
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            return False
        return not self.behind

    def _commit(self, message: Committed) -> Place:
        before, state = self._newest, message.state
        if before is not None and isinstance(before.told, Told):
            before.told = replace(before.told, state=None)
        self._newest = Place(Told(state.revision, state.epoch, message.events, state))
        return self._newest


class Session(Actor):
    """Passes on what the Senate tells, until the reader leaves or cannot keep up.

    When the Senate is restarted it follows the next incarnation, whose first message is the whole state again.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._following = Following(RETRY_SECONDS)

    async def started(self, ctx: Context) -> None:
        """Begin to follow."""
        self._following.begin(ctx)

    async def receive(self, message: object, ctx: Context) -> None:
        """Pass on without waiting: a full buffer ends the session, for memory is not the reader's to fill."""
        match message:
            case Committed() | Progress():
                if not self._reader.take(message):
                    ctx.stop()
            case Terminated() | FollowAgain():
                self._following.go_on(message, ctx)

    async def stopped(self, ctx: Context) -> None:
        """Let go of both sides."""
        self._following.end(ctx)
        self._reader.stream.close()


def sessions() -> ChildSpec:
    """The supervisor of all sessions, a child of `portal`. A session that fails is its reader's loss alone."""
    return ChildSpec("sessions", SupervisorSpec(children=()))


@dataclass(slots=True)
class Sessions:
    """Opens sessions in a system whose tree has `sessions()` at `portal/sessions`."""

    system: System
    _numbers: count[int] = field(default_factory=lambda: count(1))

    @asynccontextmanager
    async def follow(self) -> AsyncIterator[AsyncIterator[Told | Progress]]:
        """Commits and progress, beginning with the present state, until the context is left.

        The iterator raises TooSlow when its reader falls too far behind, and ends early only when the node stops.
        Raises supervisor.errors.ActorError where no session can be started.
        """
        send, receive = anyio.create_memory_object_stream[Place](BUFFER)
        id = str(next(self._numbers))
        reader = Reader(send)
        spec = ChildSpec(id, lambda: Session(reader), restart=Restart.TEMPORARY)
        with send, receive:
            await self.system.start_child(PATH, spec)
            try:
                async with aclosing(_told(reader, receive)) as told:
                    yield told
            finally:
                with anyio.CancelScope(shield=True):
                    await self._end(f"{PATH}/{id}")

    async def _end(self, path: str) -> None:
        try:
            await self.system.stop_child(path)
        except ActorStopped:
            pass  # all sessions end, and this one with them


async def _told(reader: Reader, receive: MemoryObjectReceiveStream[Place]) -> AsyncGenerator[Told | Progress, None]:
    async for place in receive:
        yield place.told
    if reader.behind:
        raise TooSlow
