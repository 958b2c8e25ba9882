"""What SqliteStore adds to the contract: one owner, private files, and bad luck told in words."""

# ruff: noqa: ASYNC240 - a test may wait for its own small files

import os
import resource
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from store import entities
from store.contract import Corrupt, Locked, NewerSchema, Outcome, Statement, Unavailable
from store.schema import NEWEST, Table
from store.sqlite import SqliteStore
from tests.store.conftest import OpenSqlite

pytestmark = pytest.mark.anyio


def put(key: str, body: str = "{}") -> Statement:
    return entities.put(Table.TASKS, key, body, version=1)


async def keys(store: SqliteStore) -> list[str]:
    return [str(row["key"]) for row in await store.read(entities.every(Table.TASKS))]


class Faults:
    """Does what is set for a point when a commit passes it, once."""

    def __init__(self) -> None:
        self.at: dict[str, Callable[[], None]] = {}

    def __call__(self, point: str) -> None:
        self.at.pop(point, lambda: None)()

    def raises(self, point: str, error: Exception) -> None:
        def fail() -> None:
            raise error

        self.at[point] = fail


# ---------------------------------------------------------------------------------------------------------- opening


async def test_a_second_gbnt_is_told_who_has_the_store(open_store: OpenSqlite, path: Path):
    await open_store()
    with pytest.raises(Locked, match=f"pid {os.getpid()}"):
        await open_store()


async def test_a_closed_store_may_be_opened_by_the_next(open_store: OpenSqlite):
    await (await open_store()).close()
    await open_store()


async def test_files_are_private_whatever_the_umask(open_store: OpenSqlite, path: Path):
    before = os.umask(0)
    try:
        store = await open_store()
    finally:
        os.umask(before)
    await store.claim_epoch("rome-1")
    ends = ("", "-wal", "-shm", ".lock", ".ballast")
    assert {file.name for file in path.parent.iterdir()} == {f"gbnt.db{end}" for end in ends}
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700


async def test_commits_are_synced_to_a_log(open_store: OpenSqlite, path: Path):
    store = await open_store()
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store._writer.execute("PRAGMA synchronous").fetchone() == {"synchronous": 2}


async def test_closing_leaves_everything_in_one_file(open_store: OpenSqlite, path: Path):
    store = await open_store()
    await store.claim_epoch("rome-1")
    await store.apply([put("web.1")], rid="r", epoch=1)
    await store.close()
    assert {file.name for file in path.parent.iterdir()} == {"gbnt.db", "gbnt.db.lock", "gbnt.db.ballast"}


@pytest.mark.parametrize("size", [100, 5_000])
async def test_rubbish_is_told_from_a_store(open_store: OpenSqlite, path: Path, size: int):
    path.parent.mkdir()
    path.write_bytes(b"rubbish " * size)
    with pytest.raises(Corrupt, match="gbnt snapshot restore"):
        await open_store()
    assert path.read_bytes() == b"rubbish " * size


async def test_a_damaged_page_is_found_on_opening(open_store: OpenSqlite, path: Path):
    store = await open_store()
    await store.claim_epoch("rome-1")
    await store.apply([put(f"web.{n}", "x" * 500) for n in range(200)], rid="r", epoch=1)
    await store.close()
    with path.open("r+b") as file:
        file.seek(path.stat().st_size - 3 * 4096)
        file.write(b"\xff" * 3 * 4096)
    with pytest.raises(Corrupt, match="gbnt snapshot restore"):
        await open_store()


async def test_a_database_that_was_taken_from_its_log_does_not_become_an_empty_store(
    open_store: OpenSqlite, path: Path
):
    path.parent.mkdir()
    path.with_name("gbnt.db-wal").write_bytes(b"what was committed")
    for _ in range(2):
        with pytest.raises(Corrupt, match=r"bring gbnt\.db back"):
            await open_store()
    assert path.with_name("gbnt.db-wal").read_bytes() == b"what was committed"


async def test_somebody_elses_database_is_left_alone(open_store: OpenSqlite, path: Path):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
    with pytest.raises(Corrupt, match="not one of gbnt's"):
        await open_store()
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("bookmarks",)]


async def test_a_newer_store_is_left_to_the_newer_gbnt(open_store: OpenSqlite, path: Path):
    await (await open_store()).close()
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("INSERT INTO migrations VALUES (?, 'from the future')", (NEWEST + 1,))
    with pytest.raises(NewerSchema, match=f"schema {NEWEST + 1} and this gbnt knows up to {NEWEST}"):
        await open_store()


async def test_a_failed_opening_lets_go_of_the_lock(open_store: OpenSqlite, path: Path):
    path.parent.mkdir()
    path.write_bytes(b"rubbish " * 1000)
    with pytest.raises(Corrupt):
        await open_store()
    path.unlink()
    await open_store()


async def test_a_folder_that_cannot_be_made_is_told(open_store: OpenSqlite, tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="cannot be opened"):
        await open_store(tmp_path / "file" / "gbnt.db")


# --------------------------------------------------------------------------------------------------------- bad luck


async def test_a_full_disk_refuses_in_words_and_goes_on_once_there_is_room(open_store: OpenSqlite, small_disk: Path):
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 600_000)
    store = await open_store(small_disk / "gbnt.db")
    await store.claim_epoch("rome-1")
    committed = []
    for number in range(200):
        applied = await store.apply([put(f"web.{number:03}", "x" * 4000)], rid=f"r{number}", epoch=1)
        if applied.outcome is not Outcome.COMMITTED:
            break
        committed.append(f"web.{number:03}")
    assert applied.outcome is Outcome.UNAVAILABLE
    assert "free some" in applied.reason
    assert await keys(store) == committed
    ballast.unlink()
    again = await store.apply([put(f"web.{number:03}", "x" * 4000)], rid=f"r{number}", epoch=1)
    assert again.outcome is Outcome.COMMITTED
    await store.close()
    reopened = await open_store(small_disk / "gbnt.db")
    assert len(await keys(reopened)) == len(committed) + 1
    await reopened.close()


async def test_a_snapshot_on_a_full_disk_leaves_nothing(open_store: OpenSqlite, small_disk: Path):
    store = await open_store()  # on another disk
    (small_disk / "ballast").write_bytes(b"x" * 1_000_000)
    with pytest.raises(Unavailable, match="no snapshot"):
        await store.snapshot(small_disk / "copy.db")
    assert [file.name for file in small_disk.iterdir()] == ["ballast"]


async def test_an_error_while_committing_is_unknown_and_settled_by_a_retry(open_store: OpenSqlite, path: Path):
    faults = Faults()
    store = await open_store(fault=faults)
    await store.claim_epoch("rome-1")
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    log_size = path.with_name("gbnt.db-wal").stat().st_size
    # A file that may not grow fails the write of COMMIT itself, and not for want of space.
    faults.at["before-commit"] = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (log_size, unlimited[1]))
    try:
        applied = await store.apply([put("web.1")], rid="r", epoch=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert applied.outcome is Outcome.UNKNOWN
    assert (await store.apply([put("web.1")], rid="r", epoch=1)).outcome is Outcome.COMMITTED
    assert await keys(store) == ["web.1"]


async def test_an_error_after_the_commit_is_unknown_and_a_duplicate_next_time(open_store: OpenSqlite):
    faults = Faults()
    store = await open_store(fault=faults)
    await store.claim_epoch("rome-1")
    faults.raises("after-commit", sqlite3.OperationalError("disk I/O error"))
    assert (await store.apply([put("web.1")], rid="r", epoch=1)).outcome is Outcome.UNKNOWN
    assert (await store.apply([put("web.1")], rid="r", epoch=1)).outcome is Outcome.DUPLICATE


@pytest.mark.parametrize("point", ["before-begin", "before-commit"])
async def test_an_error_before_the_commit_does_nothing(open_store: OpenSqlite, point: str):
    faults = Faults()
    store = await open_store(fault=faults)
    await store.claim_epoch("rome-1")
    faults.raises(point, sqlite3.OperationalError("disk I/O error"))
    applied = await store.apply([put("web.1")], rid="r", epoch=1)
    assert (applied.outcome, await keys(store)) == (Outcome.UNAVAILABLE, [])
    assert "disk I/O error" in applied.reason
    assert (await store.apply([put("web.1")], rid="r", epoch=1)).outcome is Outcome.COMMITTED


async def test_a_crash_before_the_commit_leaves_no_transaction_open(open_store: OpenSqlite):
    faults = Faults()
    store = await open_store(fault=faults)
    await store.claim_epoch("rome-1")
    faults.raises("before-commit", ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        await store.apply([put("web.1")], rid="r1", epoch=1)
    assert (await store.apply([put("web.2")], rid="r2", epoch=1)).outcome is Outcome.COMMITTED
    assert await keys(store) == ["web.2"]


async def test_a_person_at_the_sqlite_shell_makes_the_store_unavailable_not_wrong(open_store: OpenSqlite, path: Path):
    store = await open_store()
    await store.claim_epoch("rome-1")
    with closing(sqlite3.connect(path, isolation_level=None)) as person:
        person.execute("BEGIN IMMEDIATE")
        applied = await store.apply([put("web.1")], rid="r", epoch=1)
        with pytest.raises(Unavailable, match="locked"):
            await store.claim_epoch("rome-2")
    assert (applied.outcome, "locked" in applied.reason) == (Outcome.UNAVAILABLE, True)
    assert (await store.apply([put("web.1")], rid="r", epoch=1)).outcome is Outcome.COMMITTED


async def test_a_read_does_not_wait_for_a_commit(open_store: OpenSqlite):
    was_read = threading.Event()
    faults = Faults()
    store = await open_store(fault=faults)
    await store.claim_epoch("rome-1")
    # Were the read behind the commit, this wait would time out and the commit would say so.
    faults.at["before-commit"] = lambda: assert_true(was_read.wait(timeout=10))
    async with anyio.create_task_group() as group:
        group.start_soon(partial(store.apply, [put("web.1")], rid="r", epoch=1))
        await anyio.lowlevel.checkpoint()
        assert await keys(store) == []
        was_read.set()
    assert await keys(store) == ["web.1"]


def assert_true(value: bool) -> None:
    assert value
