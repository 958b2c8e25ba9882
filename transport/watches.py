"""Death watch between this node and one other: ours over its actors, and its own over ours."""

from __future__ import annotations

from itertools import count

from supervisor.cell import Cell
from supervisor.system import System
from supervisor.watch import NO_SUCH_ACTOR, Watch
from transport.parcel import note
from transport.questions import Push

ENDED = "ended"


class Watches:
    """Both directions. Each watch of ours is notified once: by the peer, or because the peer is lost."""

    def __init__(self, system: System, push: Push) -> None:
        self._system = system
        self._push = push
        self._ids = count(1)
        self._ours: dict[int, Watch] = {}
        self._ids_of: dict[Watch, int] = {}
        self._theirs: dict[int, tuple[AfarWatcher, Cell]] = {}

    def begin(self, watch: Watch) -> None:
        """Watch an actor of the peer."""
        id = next(self._ids)
        self._ours[id], self._ids_of[watch] = watch, id
        self._push(note("w", watch.target.path, id))

    def end(self, watch: Watch) -> None:
        """Watch it no more; unknown is fine."""
        id = self._ids_of.pop(watch, None)
        if id is not None:
            del self._ours[id]
            self._push(note("u", id))

    def ended(self, id: int, incarnation: int, reason: str) -> None:
        """The peer says that an actor has ended. Nobody may watch that any more."""
        watch = self._ours.pop(id, None)
        if watch is not None:
            del self._ids_of[watch]
            watch.notify(incarnation, reason)

    def lost(self, reason: str) -> None:
        """The peer is down, or has begun another life: all that is watched there has ended."""
        for id in list(self._ours):
            self.ended(id, 0, reason)
            self._push(note("u", id))  # for a peer that comes back and still keeps them

    def watched(self, id: int, path: str) -> None:
        """The peer watches an actor here."""
        self.unwatched(id)
        cell = self._system.cell(path)
        if cell is None:
            self._push(note("n", id, 0, NO_SUCH_ACTOR))
            return
        watcher = AfarWatcher(self, id)
        self._theirs[id] = watcher, cell
        cell.watchers[watcher] = None

    def unwatched(self, id: int) -> None:
        """The peer watches it no more; unknown is fine."""
        watcher, cell = self._theirs.pop(id, (None, None))
        if watcher is not None and cell is not None:
            cell.forget_watch(watcher)

    def forget(self) -> None:
        """Those who watched are no more."""
        for id in list(self._theirs):
            self.unwatched(id)

    def tell(self, id: int, incarnation: int) -> None:
        """Tell the peer that an actor has ended. What an exception says is for this node's log alone."""
        if self._theirs.pop(id, None) is not None:
            self._push(note("n", id, incarnation, ENDED))


class AfarWatcher:
    """The peer's watch over one incarnation here."""

    __slots__ = ("_id", "_watches")

    def __init__(self, watches: Watches, id: int) -> None:
        self._watches = watches
        self._id = id

    def notify(self, incarnation: int, reason: str, /) -> None:
        """It has ended."""
        self._watches.tell(self._id, incarnation)
