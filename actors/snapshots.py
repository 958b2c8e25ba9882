"""Makes snapshots of the state: on a schedule, and when asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from actors import protocol
from store.contract import SnapshotInfo, StoreError
from supervisor.actor import Actor, Context
from supervisor.message import message

# One that is overdue waits until gbnt has found everything again.
AFTER_START = 60.0


class Shelf(Protocol):
    """Where snapshots are kept."""

    async def create(self) -> SnapshotInfo:
        """Make one, and let go of those that are too many or too old. Raises StoreError."""

    async def list(self) -> Sequence[SnapshotInfo]:
        """Those that are kept, newest first; one that cannot be read has `detail["problem"]`."""


@message("snapshot.due/1")
@dataclass(frozen=True, slots=True)
class Due:
    """A timer's tick."""


@message("snapshot.schedule/1")
@dataclass(frozen=True, slots=True)
class Schedule:
    """To itself at its start: see when the next one is due."""


class SnapshotsActor(Actor):
    """`every` is the schedule's period in seconds from one snapshot to the next, however often gbnt is started."""

    def __init__(self, shelf: Shelf, every: float, clock: Callable[[], float]) -> None:
        self._shelf = shelf
        self._every = every
        self._clock = clock
        self._problem = ""

    async def started(self, ctx: Context) -> None:
        """Begin the schedule; files are read after that, for nobody's start waits for them."""
        ctx.self.tell(Schedule())

    async def receive(self, message: object, ctx: Context) -> None:
        """Make a snapshot, or list them."""
        match message:
            case Schedule():
                ctx.timers.start("due", await self._wait(), Due())
            case Due():
                await self._create(ctx)
            case protocol.CreateSnapshot():
                ctx.reply(await self._create(ctx))
            case protocol.ListSnapshots():
                ctx.reply(protocol.SnapshotList(tuple(_told(info) for info in await self._shelf.list())))

    async def _wait(self) -> float:
        """Seconds until the next one is due: within the period, though the time of day was set back."""
        newest = next((info for info in await self._shelf.list() if "problem" not in info.detail), None)
        due = newest.created_at + self._every if newest else 0.0
        return min(max(due - self._clock(), AFTER_START), self._every)

    async def _create(self, ctx: Context) -> protocol.SnapshotMade | protocol.Refused:
        ctx.timers.start("due", self._every, Due())
        try:
            made = _told(await self._shelf.create())
        except StoreError as error:
            self._problem = str(error)
            return protocol.Refused("unavailable", self._problem)
        self._problem = ""
        return made

    def describe(self) -> dict[str, object]:
        """What inspection shows beside the runtime's own figures."""
        return {"problem": self._problem}


def _told(info: SnapshotInfo) -> protocol.SnapshotMade:
    return protocol.SnapshotMade(info.name, info.size, info.revision, info.created_at)
