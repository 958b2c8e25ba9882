"""A disk or a quota that is full: a start finds room on it, and everything else is refused in words."""

import errno
import os
import shutil
import sqlite3
from io import FileIO
from pathlib import Path

import pytest

from store import entities, room
from store.contract import Outcome, Unavailable
from store.room import Ballast
from store.schema import Table
from store.sqlite import SqliteStore
from tests.store.conftest import OpenSqlite

pytestmark = pytest.mark.anyio


def fill(disk: Path) -> Path:
    """Take all that is left."""
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        write_for_ever(file)
    return filler


def write_for_ever(file: FileIO) -> None:
    while True:
        file.write(b"x" * 4096)


async def put(store: SqliteStore, key: str, epoch: int, size: int = 1000) -> Outcome:
    row = entities.put(Table.TASKS, key, "x" * size, version=1)
    return (await store.apply([row], rid=f"{epoch}:{key}", epoch=epoch)).outcome


async def claim_again_and_again(store: SqliteStore) -> None:
    while True:
        await store.claim_epoch("rome-1")


async def killed(store: SqliteStore, copy: Path) -> Path:
    """What a killed gbnt leaves behind: its log beside the database."""
    shutil.copytree(store.path.parent, copy)
    await store.close()
    shutil.rmtree(store.path.parent)
    (copy / "gbnt.db-shm").unlink()
    assert (copy / "gbnt.db-wal").stat().st_size
    return copy / "gbnt.db"


@pytest.mark.parametrize("ended", ["in order", "killed"])
async def test_a_start_on_a_full_disk_finds_room_for_its_claim_and_some_writes(
    open_store: OpenSqlite, roomy_disk: Path, ended: str
):
    path = roomy_disk / "a" / "gbnt.db"
    store = await open_store(path)
    await store.claim_epoch("rome-1")
    assert await put(store, "before", 1) is Outcome.COMMITTED
    if ended == "killed":
        path = await killed(store, roomy_disk / "b")
    else:
        await store.close()
    fill(roomy_disk)
    for start in range(2, 5):
        store = await open_store(path)
        epoch = await store.claim_epoch("rome-1")
        assert epoch == start
        for number in range(5):
            assert await put(store, f"web.{number}", epoch) is Outcome.COMMITTED
        fill(roomy_disk)
        await store.close()
    (roomy_disk / "filler").unlink()
    store = await open_store(path)
    keys = [row["key"] for row in await store.read(entities.every(Table.TASKS))]
    assert keys == ["before", *(f"web.{number}" for number in range(5))]
    assert path.with_name("gbnt.db.ballast").stat().st_size == room.SIZE


async def test_a_start_that_finds_no_room_says_what_to_do_and_takes_the_store_for_sound(
    open_store: OpenSqlite, roomy_disk: Path
):
    path = roomy_disk / "gbnt.db"
    await (await open_store(path)).close()
    path.with_name("gbnt.db.ballast").unlink()
    fill(roomy_disk)
    with pytest.raises(Unavailable, match=r"no space is left for .*gbnt\.db: free some, and start gbnt again"):
        await open_store(path)


async def test_an_epoch_that_finds_no_room_says_what_to_do(open_store: OpenSqlite, roomy_disk: Path):
    store = await open_store(roomy_disk / "gbnt.db")
    (roomy_disk / "gbnt.db.ballast").unlink()
    fill(roomy_disk)
    with pytest.raises(Unavailable, match=r"no space is left for .*: free some, and start gbnt again"):
        await claim_again_and_again(store)


async def test_a_running_gbnt_leaves_to_the_next_start_what_was_put_by_for_it(open_store: OpenSqlite, roomy_disk: Path):
    store = await open_store(roomy_disk / "gbnt.db")
    epoch = await store.claim_epoch("rome-1")
    filler = fill(roomy_disk)
    assert await put(store, "large", epoch, 1_000_000) is Outcome.UNAVAILABLE
    assert (roomy_disk / "gbnt.db.ballast").stat().st_size == room.SIZE
    asked = await store.apply([], rid="asked", epoch=epoch)
    assert (asked.outcome, "free some, and it goes on by itself" in asked.reason) == (Outcome.UNAVAILABLE, True)
    filler.unlink()
    assert (await store.apply([], rid="again", epoch=epoch)).outcome is Outcome.COMMITTED


async def test_a_quota_that_is_full_is_told_as_such(open_store: OpenSqlite, monkeypatch: pytest.MonkeyPatch):
    def exhausted(*_: object) -> None:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    def fail(point: str) -> None:
        if point == "before-commit":
            # What SQLite makes of EDQUOT: it knows ENOSPC alone.
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_WRITE
            raise error

    store = await open_store(fault=fail)
    epoch = await store.claim_epoch("rome-1")
    assert (await store.apply([], rid="r1", epoch=epoch)).reason.endswith("disk I/O error")
    monkeypatch.setattr(os, "posix_fallocate", exhausted)
    applied = await store.apply([], rid="r1", epoch=epoch)
    assert applied.outcome is Outcome.UNAVAILABLE
    assert "no space is left" in applied.reason


def test_nothing_is_put_by_where_there_is_little_room(small_disk: Path):
    assert not Ballast(small_disk / "gbnt.db").take_in()
    assert list(small_disk.iterdir()) == []


def test_each_start_is_given_half_until_nothing_is_left(tmp_path: Path):
    ballast = Ballast(tmp_path / "gbnt.db")
    assert ballast.take_in()
    sizes = []
    while ballast.throw_out():
        sizes.append(ballast.path.stat().st_size if ballast.path.exists() else 0)
    assert sizes == [room.SIZE >> times for times in range(1, 5)] + [0]
