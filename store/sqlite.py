"""The store of a single manager: SQLite in WAL mode, every commit on disk before it is acknowledged.

One connection writes and one reads, each on a worker of its own, so that a long read never delays a commit. Only the
writer checkpoints. Points at which a fault may be put in, in order: `before-begin`, `before-commit`, `after-commit`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Self

from anyio import CancelScope

from store import database, room
from store.batch import compiled, guard_outcome, misplaced, shortened
from store.contract import (
    Applied,
    Leadership,
    Member,
    Outcome,
    Row,
    SnapshotInfo,
    SqlValue,
    Statement,
    Unavailable,
)
from store.copies import write_copy
from store.driver_errors import DRIVER_ERRORS, is_callers_fault, is_full, may_be_full
from store.lock import StoreLock
from store.room import Ballast
from store.worker import Worker

Fault = Callable[[str], None]

_BEGIN = Statement("BEGIN IMMEDIATE")
_COMMIT = Statement("COMMIT")


class SqliteStore:
    """`store.contract.Store` in one file."""

    def __init__(self, path: Path, *, threaded: bool, fault: Fault) -> None:
        self.path = path
        self._fault = fault
        self._claimed: int | None = None
        self._closed = False
        self._ballast = Ballast(path)
        self._is_short = False
        self._writes = Worker(threaded=threaded)
        self._reads = Worker(threaded=threaded)
        self._copies = Worker(threaded=threaded)

    @classmethod
    async def open(cls, path: Path, *, threaded: bool = True, fault: Fault | None = None) -> Self:
        """Create or open the store in the file `path`, for this process alone.

        `threaded` False keeps every call on the caller's thread, for simulations. `fault` is called with the name of
        each point that a commit passes, and may raise or kill there. Raises Locked, Corrupt, NewerSchema, or
        Unavailable where the disk does not take it.
        """
        store = cls(path, threaded=threaded, fault=fault or _nothing)
        await store._writes.run(store._connect)
        return store

    async def apply(self, statements: Sequence[Statement], *, rid: str, epoch: int) -> Applied:
        """Commit the batch; waits for the disk. A cancelled call has not begun, or is waited for."""
        self._check_open()
        if reason := misplaced(statements):
            return Applied(Outcome.REJECTED, reason)
        if not statements and not await self._writes.run(self._takes_writes):
            return Applied(Outcome.UNAVAILABLE, self._no_space())
        return await self._writes.run(partial(self._commit, tuple(compiled(statements, rid=rid, epoch=epoch)), epoch))

    async def read(self, sql: str, parameters: tuple[SqlValue, ...] = ()) -> Sequence[Row]:
        """Rows of one SELECT. It sees every batch that was acknowledged before."""
        self._check_open()
        if not sql.lstrip().upper().startswith("SELECT"):
            raise ValueError(f"read takes a SELECT, not: {shortened(sql)}")
        return await self._reads.run(partial(self._select, sql, parameters))

    async def leadership(self) -> Leadership:
        """Who claimed the newest epoch; itself only after `claim_epoch` in this process."""
        row = (await self.read("SELECT holder, epoch FROM leader"))[0]
        return Leadership(str(row["holder"]), int(row["epoch"] or 0), is_self=row["epoch"] == self._claimed)

    async def claim_epoch(self, holder: str) -> int:
        """Raise the epoch. If it raises Unavailable, an epoch may have been used up; claim again."""
        self._check_open()
        epoch = self._claimed = await self._writes.run(partial(self._claim, holder))
        return epoch

    async def members(self) -> Sequence[Member]:
        """This manager, the only one; its address is empty, for nobody dials it."""
        leader = await self.leadership()
        return (Member(leader.holder, "", "voter"),)

    async def snapshot(self, target: Path) -> SnapshotInfo:
        """A copy through a connection of its own, so that neither reads nor commits wait for it."""
        self._check_open()
        return await self._copies.run(partial(write_copy, self.path, target))

    async def close(self) -> None:
        """Finish what has begun, then release the files, though the caller be cancelled. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        with CancelScope(shield=True):
            for worker in (self._copies, self._reads):
                await worker.run(_nothing)
            await self._writes.run(self._files.close)

    def _connect(self) -> None:
        while True:
            try:
                self._open_files()
            except (sqlite3.Error, OSError) as error:
                self._make_room(error, f"{self.path} cannot be opened")
            else:
                self._is_short = not self._ballast.take_in()
                return

    def _open_files(self) -> None:
        with ExitStack() as files:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            files.callback(StoreLock(self.path).release)
            self._writer = files.enter_context(closing(database.connect_writer(self.path)))
            # Closed before the writer, whose close folds the log into the database.
            self._reader = files.enter_context(closing(database.connect_reader(self.path)))
            self._files = files.pop_all()

    def _make_room(self, error: Exception, failed: str) -> None:
        """Throw out ballast where that is what the error calls for; raise Unavailable where it is not, or none is left.

        Only for a start: what a running gbnt cannot write it is asked again, and a start has nobody to ask it again.
        """
        if not self._is_for_want_of_room(error):
            raise Unavailable(f"{failed}: {error}") from error
        self._is_short = True
        if not self._ballast.throw_out():
            raise Unavailable(f"{failed}: {self._no_space('start gbnt again')}") from error

    def _takes_writes(self) -> bool:
        """False on a disk that was full, until it has room for more than to find that out."""
        return not self._is_short or room.is_left(self.path.parent)

    def _is_for_want_of_room(self, error: Exception) -> bool:
        if is_full(error) or room.is_for_want_of_room(error):
            return True
        return may_be_full(error) and not room.is_left(self.path.parent)

    def _no_space(self, then: str = "it goes on by itself") -> str:
        return f"no space is left for {self.path}: free some, and {then}"

    def _commit(self, batch: Sequence[Statement], epoch: int) -> Applied:
        guarded, current = _BEGIN, _BEGIN
        try:
            self._fault("before-begin")
            self._writer.execute(_BEGIN.sql)
            for statement in batch:
                guarded, current = current, statement
                self._writer.execute(current.sql, current.parameters)
            self._fault("before-commit")
            current = _COMMIT
            self._writer.execute(_COMMIT.sql)
            self._fault("after-commit")
        except DRIVER_ERRORS as error:
            return self._explained(error, guarded, current, epoch)
        finally:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
        if self._is_short:
            self._is_short = not self._ballast.take_in()
        return Applied(Outcome.COMMITTED)

    def _explained(self, error: Exception, guarded: Statement, current: Statement, epoch: int) -> Applied:
        match guard_outcome(str(error)):
            case Outcome.DUPLICATE:
                return Applied(Outcome.DUPLICATE, "this request was committed before")
            case Outcome.FENCED:
                leader = self._writer.execute("SELECT holder, epoch FROM leader").fetchone()
                return Applied(
                    Outcome.FENCED, f"epoch {epoch} is over: {leader['holder']} holds epoch {leader['epoch']}"
                )
            case Outcome.CONFLICT:
                return Applied(Outcome.CONFLICT, f"the state is not what was expected: {shortened(guarded.sql)}")
        if self._is_for_want_of_room(error):
            # Even from COMMIT: what could not be written includes the frame that would make the rest count.
            self._is_short = True
            return Applied(Outcome.UNAVAILABLE, self._no_space())
        if current is _COMMIT:
            return Applied(Outcome.UNKNOWN, f"the commit may or may not be on disk: {error}")
        if is_callers_fault(error):
            return Applied(Outcome.REJECTED, f"{error}: {shortened(current.sql)}")
        return Applied(Outcome.UNAVAILABLE, f"{self.path} cannot be written: {error}")

    def _claim(self, holder: str) -> int:
        while True:
            try:
                claimed = self._writer.execute(
                    "UPDATE leader SET holder = ?, epoch = epoch + 1 RETURNING epoch", (holder,)
                ).fetchall()
            except sqlite3.Error as error:
                self._make_room(error, f"no epoch can be claimed in {self.path}")
            else:
                epoch: int = claimed[0]["epoch"]
                return epoch

    def _select(self, sql: str, parameters: tuple[SqlValue, ...]) -> Sequence[Row]:
        try:
            return self._reader.execute(sql, parameters).fetchall()
        except DRIVER_ERRORS as error:
            if is_callers_fault(error):
                raise ValueError(f"{error}: {shortened(sql)}") from error
            raise Unavailable(f"{self.path} cannot be read: {error}") from error

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError(f"{self.path} was closed: open the store again")


def _nothing(*_: object) -> None:
    """What happens at a point where no fault was put in, and what a worker does to come to rest."""
