"""Makes snapshots of the state: on a schedule, and when asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from actors import protocol
from store.contract import SnapshotInfo, StoreError
from supervisor.actor import Actor, Context
from supervisor.message import message


class Shelf(Protocol):
    """Where snapshots are kept."""

    async def create(self) -> SnapshotInfo:
        """Make one, and let go of those that are too many or too old. Raises StoreError."""

    def list(self) -> list[SnapshotInfo]:
        """Those that are kept, newest first."""


@message("snapshot.due/1")
@dataclass(frozen=True, slots=True)
class Due:
    """A timer's tick."""


class SnapshotsActor(Actor):
    """`every` is the schedule's period in seconds."""

    def __init__(self, shelf: Shelf, every: float) -> None:
        self._shelf = shelf
        self._every = every
        self._problem = ""

    async def started(self, ctx: Context) -> None:
        """Begin the schedule."""
        ctx.timers.every("due", self._every, Due())

    async def receive(self, message: object, ctx: Context) -> None:
        """Make a snapshot, or list them."""
        match message:
            case Due():
                await self._create()
            case protocol.CreateSnapshot():
                ctx.reply(await self._create())
            case protocol.ListSnapshots():
                ctx.reply(protocol.SnapshotList(tuple(_told(info) for info in self._shelf.list())))

    async def _create(self) -> protocol.SnapshotMade | protocol.Refused:
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
