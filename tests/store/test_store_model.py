"""Any order of batches, retries, claims, faults and reopenings, against a dict."""

import sqlite3
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import anyio
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from store import entities
from store.contract import Applied, Outcome, Statement
from store.schema import Table
from store.sqlite import SqliteStore
from tests.store.guard import at_version

T = TypeVar("T")

KEYS = st.sampled_from("abc")
WRITES = st.lists(st.tuples(KEYS, st.one_of(st.none(), st.integers(0, 3)), st.booleans()), max_size=4)


def finish(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run one call to its end; without threads the store belongs to no event loop."""

    async def main() -> T:
        return await coroutine

    return anyio.run(main)


class StoreMachine(RuleBasedStateMachine):
    """Every version written is the old one plus one, so that a write done twice would show."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.model: dict[str, int] = {}
        self.batches = 0
        self.epoch = 0
        self.failing_at = ""
        self.open()
        self.claim()

    def open(self) -> None:
        path = Path(self.folder.name) / "gbnt.db"
        self.store = finish(SqliteStore.open(path, threaded=False, fault=self.fault))

    def fault(self, point: str) -> None:
        if point == self.failing_at:
            self.failing_at = ""
            raise sqlite3.OperationalError("disk I/O error")

    def apply(self, statements: list[Statement], rid: str, epoch: int) -> Applied:
        return finish(self.store.apply(statements, rid=rid, epoch=epoch))

    def compile(self, writes: list[tuple[str, int | None, bool]]) -> tuple[list[Statement], dict[str, int] | None]:
        """The batch, and what the model is after it; None if one of its guards does not hold."""
        after: dict[str, int] | None = dict(self.model)
        statements = []
        for key, expected, removes in writes:
            found = None if after is None else after.get(key, 0)
            version = (found or 0) + 1
            if expected is not None:
                statements.append(at_version(key, expected))
            if removes:
                statements.append(entities.delete(Table.TASKS, key))
            else:
                statements.append(entities.put(Table.TASKS, key, "{}", version=version))
            if after is None or expected not in (None, found):
                after = None
            elif removes:
                after.pop(key, None)
            else:
                after[key] = version
        return statements, after

    @rule(writes=WRITES)
    def commit(self, writes: list[tuple[str, int | None, bool]]) -> None:
        statements, after = self.compile(writes)
        self.batches += 1
        applied = self.apply(statements, f"r{self.batches}", self.epoch)
        assert applied.outcome is (Outcome.CONFLICT if after is None else Outcome.COMMITTED)
        self.model = self.model if after is None else after

    @rule(writes=WRITES, point=st.sampled_from(["before-begin", "before-commit", "after-commit"]))
    def fail(self, writes: list[tuple[str, int | None, bool]], point: str) -> None:
        statements, after = self.compile(writes)
        if after is None:
            return
        self.batches += 1
        self.failing_at = point
        unknown = point == "after-commit"
        first = self.apply(statements, f"r{self.batches}", self.epoch)
        assert first.outcome is (Outcome.UNKNOWN if unknown else Outcome.UNAVAILABLE)
        again = self.apply(statements, f"r{self.batches}", self.epoch)
        assert again.outcome is (Outcome.DUPLICATE if unknown else Outcome.COMMITTED)
        self.model = after

    @rule(key=KEYS)
    def write_too_late(self, key: str) -> None:
        late = self.apply([entities.delete(Table.TASKS, key)], "late", self.epoch - 1)
        assert late.outcome is Outcome.FENCED

    @precondition(lambda self: self.model)
    @rule(wrong=st.sampled_from(["INSERT INTO tasks VALUES ('x', NULL, '')", "DELETE FROM nothing", "VACUUM"]))
    def break_off(self, wrong: str) -> None:
        removed = [entities.delete(Table.TASKS, key) for key in self.model]
        assert self.apply([*removed, Statement(wrong)], "wrong", self.epoch).outcome is Outcome.REJECTED

    @rule()
    def claim(self) -> None:
        self.epoch += 1
        assert finish(self.store.claim_epoch("rome-1")) == self.epoch

    @rule()
    def reopen(self) -> None:
        finish(self.store.close())
        self.open()

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        rows = finish(self.store.read(entities.every(Table.TASKS)))
        assert {row["key"]: row["version"] for row in rows} == self.model

    def teardown(self) -> None:
        finish(self.store.close())
        self.folder.cleanup()


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(stateful_step_count=20)
