"""What goes wrong in a simulation: in the engine's calls, in the store's commits, and with gbnt itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

import anyio

from engine.faults import Faults
from engine.port import EngineEvent
from engine.fake import FakeEngine
from store.contract import Applied, Statement
from store.sqlite import SqliteStore


class Killed(Exception):
    """gbnt was killed at this point: the caller never hears how its call went."""


@dataclass(slots=True)
class Luck(Faults):
    """Bad luck by chance, and `kill` at the step that `fuse` counts down to: one before and one after each effect.

    `step` is called once for each step, to look whether all is still as it must be.
    """

    kill: Callable[[], None] = lambda: None
    step: Callable[[], None] = lambda: None
    fuse: int | None = None
    bad_commit: float = 0.0
    steps: int = 0

    def fails_before(self) -> bool:
        self.pass_point()
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
        self.step()
        if self.fuse is None:
            return
        self.fuse -= 1
        if self.fuse <= 0:
            self.fuse = None
            self.kill()
            raise Killed(f"killed at step {self.steps}")

    def calm_down(self) -> None:
        """No more bad luck."""
        self.before = self.after = self.slow = self.stream = self.bad_commit = 0.0
        self.fuse = None


class WitnessedEngine(FakeEngine):
    """A fake engine whose every event is shown to `witness` at its moment, whoever else hears of it."""

    def __init__(self, faults: Faults, witness: Callable[[EngineEvent], None]) -> None:
        super().__init__(faults=faults)
        self._witness = witness

    def _tell(self, event: EngineEvent) -> None:
        self._witness(event)
        super()._tell(event)


class SlowStore(SqliteStore):
    """A store on a disk that is slow at times."""

    luck: Luck

    async def apply(self, statements: Sequence[Statement], *, rid: str, epoch: int) -> Applied:
        await anyio.sleep(self.luck.delay())
        return await super().apply(statements, rid=rid, epoch=epoch)
