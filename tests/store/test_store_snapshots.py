"""Snapshots: made, listed newest first, and let go by count and by day."""

# ruff: noqa: ASYNC240 - a test may wait for its own small files

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from store import copies, entities
from store.contract import SnapshotInfo, StoreError
from store.snapshots import Snapshots, surplus
from store.sqlite import SqliteStore
from tests.store.conftest import OpenSqlite

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    """Goes on when told."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now.timestamp()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "snapshots"


@pytest.fixture
async def store(open_store: OpenSqlite):
    store = await open_store(threaded=False)
    await store.claim_epoch("rome-1")
    return store


def made(*ages_in_hours: float) -> list[SnapshotInfo]:
    """Snapshots made so long before noon, newest first."""
    times = [(NOON - timedelta(hours=age)).timestamp() for age in ages_in_hours]
    return [
        SnapshotInfo(f"{age}", Path(f"{age}.db"), 1, at, 0, 0, 1) for age, at in zip(ages_in_hours, times, strict=True)
    ]


@pytest.mark.parametrize(
    ("keep", "days", "gone"),
    [
        (9, 0, []),
        (2, 0, ["2", "13", "14", "301", "302"]),
        (0, 2, ["1", "2", "14", "301", "302"]),
        (0, 3, ["1", "2", "14", "302"]),  # the days on which the machine was off do not count
        (2, 9, ["2", "14", "302"]),
        (0, 0, ["0", "1", "2", "13", "14", "301", "302"]),
    ],
)
def test_the_newest_stay_and_the_last_of_each_day(keep: int, days: int, gone: list[str]):
    assert [info.name for info in surplus(made(0, 1, 2, 13, 14, 301, 302), keep=keep, days=days)] == gone


@pytest.mark.anyio
async def test_a_snapshot_is_named_by_its_time_and_listed(store: SqliteStore, folder: Path, clock: Clock):
    snapshots = Snapshots(folder, store, clock=clock, threaded=False)
    assert await snapshots.list() == []
    first = await snapshots.create()
    await store.apply([entities.bump_revision(0)], rid="r", epoch=1)
    clock.now += timedelta(seconds=1.5)
    second = await snapshots.create()
    assert [first.name, second.name] == ["gbnt-20260301T120000.000000Z", "gbnt-20260301T120001.500000Z"]
    assert [first.created_at, second.created_at] == [NOON.timestamp(), NOON.timestamp() + 1.5]
    assert await snapshots.list() == [second, first]
    assert [info.revision for info in await snapshots.list()] == [1, 0]
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.anyio
async def test_files_are_read_on_a_thread_of_their_own(
    store: SqliteStore, folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    readers: list[int] = []

    def describe(path: Path) -> SnapshotInfo:
        readers.append(threading.get_ident())
        return copies.describe(path)

    snapshots = Snapshots(folder, store, clock=clock)
    made = await snapshots.create()
    monkeypatch.setattr("store.snapshots.describe", describe)
    assert await snapshots.list() == [made]
    assert readers
    assert threading.get_ident() not in readers


@pytest.mark.anyio
async def test_old_snapshots_go_and_strangers_stay(store: SqliteStore, folder: Path, clock: Clock):
    snapshots = Snapshots(folder, store, clock=clock, threaded=False, keep=2, days=2)
    folder.mkdir()
    strangers = {"gbnt-before-the-move.db", "notes.txt"}
    for name in strangers:
        (folder / name).touch()
    (folder / "gbnt-20260301T115900.000000Z.db.partial").touch()  # its maker was killed
    for _ in range(10):
        await snapshots.create()
        clock.now += timedelta(hours=5)
    left = {"20260303T040000", "20260303T090000", "20260302T230000"}
    assert {path.name for path in folder.iterdir()} == strangers | {f"gbnt-{stamp}.000000Z.db" for stamp in left}


@pytest.mark.anyio
async def test_a_damaged_snapshot_is_listed_with_its_problem(store: SqliteStore, folder: Path, clock: Clock):
    snapshots = Snapshots(folder, store, clock=clock, threaded=False)
    (await snapshots.create()).path.write_bytes(b"rubbish " * 1000)
    [damaged] = await snapshots.list()
    assert (damaged.created_at, damaged.size, damaged.revision) == (NOON.timestamp(), 8000, 0)
    assert "not a sound store" in damaged.detail["problem"]


@pytest.mark.anyio
async def test_a_folder_that_cannot_be_used_is_told_and_the_store_goes_on(
    store: SqliteStore, tmp_path: Path, clock: Clock
):
    (tmp_path / "snapshots").touch()
    with pytest.raises(StoreError, match="cannot be kept"):
        await Snapshots(tmp_path / "snapshots", store, clock=clock, threaded=False).create()
    assert (await store.leadership()).is_self
