"""What goes wrong in a simulation: in the engine's calls, in the store's commits, and with gbnt itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import anyio

from engine.fake import FakeEngine
from engine.fake_container import FakeContainer
from engine.faults import Faults
from engine.port import EngineEvent
from store.contract import Applied, Statement
from store.sqlite import SqliteStore
from tests.actors.house import time_of_day


class Killed(Exception):
    """gbnt was killed at this point: the caller never hears how its call went."""


@dataclass
class Luck(Faults):
    """Bad luck by chance, and `kill` at the step that `fuse` counts down to: one before and one after each effect.

    `broken` is the chance that a call raises what no engine may raise: a fault of gbnt's own, which an actor dies of.
    """

    kill: Callable[[], None] = lambda: None
    fuse: int | None = None
    bad_commit: float = 0.0
    broken: float = 0.0
    steps: int = 0

    def fails_before(self) -> bool:
        self.pass_point()
        if self._happens(self.broken):
            raise RuntimeError("a fault of gbnt's own")
        return super().fails_before()

    def fails_after(self) -> bool:
        self.pass_point()
        return super().fails_after()

    def commit_point(self, name: str) -> None:
        """A point of a commit: the disk may fail there, before the commit or in the midst of it."""
        self.pass_point()
        if self._happens(self.bad_commit):
            raise sqlite3.OperationalError(f"the disk failed at {name}")

    def pass_point(self) -> None:
        self.steps += 1
        if self.fuse is None:
            return
        self.fuse -= 1
        if self.fuse <= 0:
            self.fuse = None
            self.kill()
            raise Killed(f"killed at step {self.steps}")

    def calm_down(self) -> None:
        """No more bad luck."""
        self.before = self.after = self.slow = self.stream = self.bad_commit = self.broken = 0.0
        self.fuse = None


class WitnessedEngine(FakeEngine):
    """A fake engine whose every event is shown to `witness` at its moment, whoever else hears of it."""

    def __init__(self, faults: Faults, witness: Callable[[EngineEvent], None]) -> None:
        super().__init__(time_of_day, faults)
        self._witness = witness

    def _tell(self, event: EngineEvent) -> None:
        self._witness(event)
        super()._tell(event)

    def present(self) -> list[FakeContainer]:
        """Every container that is there."""
        return list(self._world.containers.values())


class SlowStore(SqliteStore):
    """A store on a disk that is slow at times."""

    luck: Luck

    async def apply(self, statements: Sequence[Statement], *, rid: str, epoch: int) -> Applied:
        await anyio.sleep(self.luck.delay())
        return await super().apply(statements, rid=rid, epoch=epoch)
