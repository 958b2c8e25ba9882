"""What every engine under `store.contract.Store` must do. A subclass says how to open one, and is marked for anyio."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from store import entities
from store.contract import Outcome, Row, Statement, Store, StoreError
from store.schema import NEWEST, Table
from tests.store.guard import at_version

OpenStore = Callable[[], Awaitable[Store]]

COMMITTED = (Outcome.COMMITTED, "")


async def outcome(store: Store, *statements: Statement, rid: str, epoch: int = 1) -> Outcome:
    """Apply a batch and keep how it ended."""
    return (await store.apply(statements, rid=rid, epoch=epoch)).outcome


async def tasks(store: Store) -> dict[str, tuple[int, str]]:
    """The table that these tests write to, as a dict."""
    rows: Sequence[Row] = await store.read(entities.every(Table.TASKS))
    return {str(row["key"]): (int(row["version"] or 0), str(row["body"])) for row in rows}


def put(key: str, body: str = "{}", version: int = 1) -> Statement:
    """A write to that table."""
    return entities.put(Table.TASKS, key, body, version=version)


def insert(key: str) -> Statement:
    """A write to that table that is refused where the row is there already: a batch done twice would show."""
    return Statement("INSERT INTO tasks (key, version, body) VALUES (?, 1, '{}')", (key,))


class StoreContract:
    """Override `open_store` with a fixture that gives a function to open the same store, again after each close."""

    @pytest.fixture
    def open_store(self) -> OpenStore:
        raise NotImplementedError

    @pytest.fixture
    async def store(self, open_store: OpenStore):
        """A fresh store whose epoch 1 is claimed."""
        store = await open_store()
        await store.claim_epoch("rome-1")
        yield store
        await store.close()

    # ------------------------------------------------------------------------------------------------- one batch

    async def test_a_committed_batch_is_read_back(self, store: Store):
        applied = await store.apply([put("web.1"), put("web.2")], rid="r", epoch=1)
        assert (applied.outcome, applied.reason) == COMMITTED
        assert await tasks(store) == {"web.1": (1, "{}"), "web.2": (1, "{}")}

    async def test_a_committed_batch_is_there_after_reopening(self, open_store: OpenStore):
        store = await open_store()
        epoch = await store.claim_epoch("rome-1")
        await store.apply([put("web.1")], rid="r", epoch=epoch)
        await store.close()
        reopened = await open_store()
        assert await tasks(reopened) == {"web.1": (1, "{}")}
        assert (await reopened.apply([put("web.1")], rid="r", epoch=epoch)).outcome is Outcome.DUPLICATE
        await reopened.close()

    async def test_an_empty_batch_commits_its_request_id(self, store: Store):
        assert await outcome(store, rid="r") is Outcome.COMMITTED
        assert await outcome(store, rid="r") is Outcome.DUPLICATE

    async def test_values_keep_their_type(self, store: Store):
        text = "naïve ✓ \x00 '; DROP TABLE tasks; --"
        await store.apply([put("odd", text, 2**63 - 1)], rid="r", epoch=1)
        row = (await store.read("SELECT ? AS blob, ? AS absent, ? AS real, body FROM tasks", (b"\x00", None, 0.5)))[0]
        assert dict(row) == {"blob": b"\x00", "absent": None, "real": 0.5, "body": text}
        assert await tasks(store) == {"odd": (2**63 - 1, text)}

    # ------------------------------------------------------------------------------------------------ all or none

    async def test_a_request_id_is_applied_once(self, store: Store):
        assert await outcome(store, put("web.1", version=1), rid="r") is Outcome.COMMITTED
        assert await outcome(store, put("web.1", version=2), rid="r") is Outcome.DUPLICATE
        assert await tasks(store) == {"web.1": (1, "{}")}

    async def test_a_guard_that_does_not_hold_undoes_the_whole_batch(self, store: Store):
        await store.apply([put("web.1", version=7)], rid="r1", epoch=1)
        refused = await store.apply(
            [put("web.2"), at_version("web.1", 8), put("web.1", "new", version=9)], rid="r2", epoch=1
        )
        assert refused.outcome is Outcome.CONFLICT
        assert "UPDATE revision" in refused.reason
        assert await tasks(store) == {"web.1": (7, "{}")}

    async def test_a_refused_request_id_may_be_used_again(self, store: Store):
        assert await outcome(store, at_version("web.1", 1), put("web.1"), rid="r") is Outcome.CONFLICT
        assert await outcome(store, Statement("INSERT INTO nothing VALUES (1)"), rid="r") is Outcome.REJECTED
        assert await outcome(store, at_version("web.1", 0), put("web.1"), rid="r") is Outcome.COMMITTED

    @pytest.mark.parametrize(("expected", "found"), [(0, 1), (2, 1), (1, 0)])
    async def test_expect_rows_is_exact(self, store: Store, expected: int, found: int):
        await store.apply([put("web.1")], rid="r1", epoch=1)
        touch = Statement("UPDATE tasks SET version = 2 WHERE key = ?", ("web.1" if found else "absent",), expected)
        assert await outcome(store, touch, rid="r2") is Outcome.CONFLICT
        assert await tasks(store) == {"web.1": (1, "{}")}

    @pytest.mark.parametrize(
        "wrong",
        [
            Statement("INSERT INTO nothing VALUES (1)"),
            Statement("UPDATE tasks SET"),
            Statement("INSERT INTO tasks (key, version, body) VALUES ('web.1', 1, '{}')"),
            Statement("UPDATE tasks SET version = 'three'"),
            Statement("UPDATE tasks SET version = ?", (2**63,)),
            Statement("UPDATE tasks SET body = ?", ("\ud800",)),
            Statement("UPDATE tasks SET version = ?", ()),
            Statement("UPDATE tasks SET version = ?", (1, 2)),
            Statement("UPDATE tasks SET version = 2; UPDATE tasks SET version = 3"),
            Statement("COMMIT"),
            Statement("ROLLBACK"),
            Statement("PRAGMA synchronous = OFF"),
            Statement("DROP TABLE tasks"),
            Statement("  "),
        ],
        ids=lambda statement: statement.sql[:60],
    )
    async def test_a_wrong_statement_undoes_the_whole_batch(self, store: Store, wrong: Statement):
        await store.apply([put("web.1")], rid="r1", epoch=1)
        refused = await store.apply([put("web.2"), wrong, put("web.3")], rid="r2", epoch=1)
        assert refused.outcome is Outcome.REJECTED
        assert refused.reason
        assert await tasks(store) == {"web.1": (1, "{}")}
        assert await outcome(store, put("web.4"), rid="r3") is Outcome.COMMITTED

    async def test_an_empty_request_id_is_rejected(self, store: Store):
        assert await outcome(store, put("web.1"), rid="") is Outcome.REJECTED

    async def test_a_reason_never_tells_a_parameter(self, store: Store):
        await store.apply([put("db.password")], rid="r1", epoch=1)
        secret = Statement("INSERT INTO tasks (key, version, body) VALUES (?, 1, ?)", ("db.password", "hunter2"))
        guard = Statement("UPDATE tasks SET body = ? WHERE key = 'absent'", ("hunter2",), expect_rows=1)
        for number, statement in enumerate((secret, guard)):
            refused = await store.apply([statement], rid=f"r{number}", epoch=1)
            assert "hunter2" not in refused.reason

    # --------------------------------------------------------------------------------------------------- epochs

    async def test_a_new_epoch_fences_the_older_one(self, store: Store):
        assert await store.claim_epoch("rome-2") == 2
        refused = await store.apply([put("web.1")], rid="r", epoch=1)
        assert refused.outcome is Outcome.FENCED
        assert "rome-2" in refused.reason
        assert await tasks(store) == {}

    async def test_an_epoch_that_nobody_claimed_is_fenced(self, store: Store):
        assert await outcome(store, put("web.1"), rid="r", epoch=2) is Outcome.FENCED

    async def test_a_fenced_writer_still_learns_what_was_committed(self, store: Store):
        await store.apply([put("web.1")], rid="r", epoch=1)
        await store.claim_epoch("rome-2")
        assert await outcome(store, put("web.1"), rid="r", epoch=1) is Outcome.DUPLICATE

    async def test_leadership_names_the_newest_claim(self, open_store: OpenStore):
        store = await open_store()
        before = await store.leadership()
        assert (before.epoch, before.is_self) == (0, False)
        await store.claim_epoch("rome-1")
        claimed = await store.leadership()
        assert (claimed.holder, claimed.epoch, claimed.is_self) == ("rome-1", 1, True)
        await store.close()
        reopened = await open_store()
        after = await reopened.leadership()
        assert (after.holder, after.epoch, after.is_self) == ("rome-1", 1, False)
        assert await reopened.claim_epoch("rome-1") == 2
        await reopened.close()

    async def test_there_is_a_member_that_votes(self, store: Store):
        assert "voter" in [member.role for member in await store.members()]

    # --------------------------------------------------------------------------------------------------- reading

    @pytest.mark.parametrize("sql", ["DELETE FROM tasks", "SELECT nonsense FROM tasks", "PRAGMA query_only = OFF", ""])
    async def test_read_refuses_what_is_no_select(self, store: Store, sql: str):
        await store.apply([put("web.1")], rid="r", epoch=1)
        with pytest.raises(ValueError):
            await store.read(sql)
        assert await tasks(store) == {"web.1": (1, "{}")}

    async def test_rows_come_in_the_order_asked_for(self, store: Store):
        await store.apply([put(key) for key in "cab"], rid="r", epoch=1)
        rows = await store.read("SELECT key FROM tasks ORDER BY key DESC LIMIT ?", (2,))
        assert [row["key"] for row in rows] == ["c", "b"]

    # ----------------------------------------------------------------------------------------------- many at once

    async def test_batches_sent_at_once_are_all_committed_one_after_the_other(self, store: Store):
        await store.apply([put("counter", version=0)], rid="start", epoch=1)

        async def count(number: int) -> None:
            added = Statement("UPDATE tasks SET version = version + 1 WHERE key = 'counter'", expect_rows=1)
            assert await outcome(store, added, put(f"row.{number}"), rid=f"r{number}") is Outcome.COMMITTED

        async with anyio.create_task_group() as group:
            for number in range(30):
                group.start_soon(count, number)
        found = await tasks(store)
        assert found["counter"][0] == 30
        assert len(found) == 31

    async def test_one_of_two_that_decided_on_the_same_revision_wins(self, store: Store):
        found: list[Outcome] = []

        async def decide(rid: str) -> None:
            found.append(await outcome(store, entities.bump_revision(0), put(rid), rid=rid))

        async with anyio.create_task_group() as group:
            group.start_soon(decide, "a")
            group.start_soon(decide, "b")
        assert sorted(found) == [Outcome.COMMITTED, Outcome.CONFLICT]
        assert len(await tasks(store)) == 1

    async def test_a_cancelled_batch_is_settled_by_its_request_id(self, store: Store):
        async with anyio.create_task_group() as group:
            for number in range(10):
                group.start_soon(partial(outcome, store, insert(f"web.{number}"), rid=f"r{number}"))
            group.cancel_scope.cancel()
        for number in range(10):
            settled = await outcome(store, insert(f"web.{number}"), rid=f"r{number}")
            assert settled in (Outcome.COMMITTED, Outcome.DUPLICATE)
        assert len(await tasks(store)) == 10

    # -------------------------------------------------------------------------------------------------- snapshots

    async def test_a_snapshot_says_what_it_holds(self, store: Store, tmp_path: Path):
        await store.apply([entities.bump_revision(0), put("web.1")], rid="r", epoch=1)
        target = tmp_path / "copy.db"
        info = await store.snapshot(target)
        assert (info.path, info.revision, info.epoch, info.schema) == (target, 1, 1, NEWEST)
        assert info.size == target.stat().st_size
        assert target.stat().st_mode & 0o077 == 0

    async def test_a_snapshot_leaves_what_is_there_alone(self, store: Store, tmp_path: Path):
        target = tmp_path / "copy.db"
        target.write_text("mine")
        with pytest.raises(StoreError, match="already"):
            await store.snapshot(target)
        assert target.read_text() == "mine"

    async def test_a_snapshot_that_cannot_be_written_leaves_nothing(self, store: Store, tmp_path: Path):
        with pytest.raises(StoreError):
            await store.snapshot(tmp_path / "no" / "such" / "folder.db")
        assert not (tmp_path / "no").exists()
        assert await outcome(store, put("web.1"), rid="r") is Outcome.COMMITTED

    async def test_writes_go_on_during_snapshots_and_each_is_one_state(self, store: Store, tmp_path: Path):
        async def write() -> None:
            for number in range(40):
                await store.apply([entities.bump_revision(number), put(f"web.{number}")], rid=f"r{number}", epoch=1)

        async with anyio.create_task_group() as group:
            group.start_soon(write)
            revisions = [(await store.snapshot(tmp_path / f"copy-{number}.db")).revision for number in range(5)]
        assert revisions == sorted(revisions)
        assert len(await tasks(store)) == 40

    # ------------------------------------------------------------------------------------------------------- end

    async def test_a_cancelled_close_closes_all_the_same(self, open_store: OpenStore):
        store = await open_store()
        with anyio.CancelScope() as cancelled:
            cancelled.cancel()
            await store.close()
        await (await open_store()).close()

    async def test_close_waits_for_what_has_begun_and_may_be_called_twice(self, open_store: OpenStore):
        store = await open_store()
        await store.claim_epoch("rome-1")
        async with anyio.create_task_group() as group:
            group.start_soon(partial(outcome, store, put("web.1"), rid="r"))
            await anyio.lowlevel.checkpoint()
        await store.close()
        await store.close()
        with pytest.raises(RuntimeError, match="closed"):
            await store.apply([], rid="late", epoch=1)
