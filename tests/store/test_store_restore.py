"""Going back to a snapshot misleads nobody who saw the later state."""

# ruff: noqa: ASYNC240 - a test may wait for its own small files

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cluster.decide.nodes import HOLD
from store import entities
from store.contract import Corrupt, Locked, NewerSchema, StoreError
from store.restore import restore
from store.schema import NEWEST, Table
from store.sqlite import SqliteStore
from tests.store.conftest import OpenSqlite

pytestmark = pytest.mark.anyio

AT = 1_772_366_400.0
KEPT = "gbnt.db.before-restore-20260301T120000Z"


async def write(store: SqliteStore, revision: int) -> None:
    """Go to `revision`, with a task that is named after it."""
    task = entities.put(Table.TASKS, f"web.{revision}", "{}", version=revision)
    leader = await store.leadership()
    await store.apply([entities.bump_revision(revision - 1), task], rid=f"r{revision}", epoch=leader.epoch)


async def keys(store: SqliteStore) -> list[str]:
    return [str(row["key"]) for row in await store.read(entities.every(Table.TASKS))]


def keys_in(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [key for (key,) in connection.execute("SELECT key FROM tasks ORDER BY key")]


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    return tmp_path / "snapshot.db"


@pytest.fixture
async def live(open_store: OpenSqlite, snapshot: Path):
    """A store at revision 3, epoch 2, whose snapshot is of revision 1, epoch 1."""
    store = await open_store()
    await store.claim_epoch("rome-1")
    await write(store, 1)
    await store.snapshot(snapshot)
    await store.claim_epoch("rome-1")
    await write(store, 2)
    await write(store, 3)
    return store


async def test_the_older_state_is_back_and_goes_on_above_every_number_handed_out(
    live: SqliteStore, open_store: OpenSqlite, path: Path, snapshot: Path
):
    await live.close()
    info = restore(snapshot, path, at=AT)
    assert info.revision > 3
    assert info.epoch > 2
    store = await open_store()
    assert await keys(store) == ["web.1"]
    assert [dict(row) for row in await store.read(entities.REVISION)] == [
        {"rev": info.revision, "compacted": info.revision}
    ]
    assert not (await store.leadership()).holder
    assert await store.claim_epoch("rome-1") == info.epoch + 1
    await write(store, info.revision + 1)
    assert await keys(store) == ["web.1", f"web.{info.revision + 1}"]


async def test_containers_are_held_until_a_person_confirms(
    live: SqliteStore, open_store: OpenSqlite, path: Path, snapshot: Path
):
    await live.close()
    info = restore(snapshot, path, at=AT)
    [row] = await (await open_store()).read(entities.every(Table.SETTINGS))
    assert (row["key"], row["version"]) == (HOLD, info.revision)
    assert row["body"] == '"restored from snapshot.db (revision 1) at 20260301T120000Z"'


async def test_what_was_there_is_kept_whole_in_one_file(live: SqliteStore, path: Path, snapshot: Path):
    await live.close()
    restore(snapshot, path, at=AT)
    assert keys_in(path.with_name(KEPT)) == ["web.1", "web.2", "web.3"]
    assert {file.name for file in path.parent.iterdir()} == {"gbnt.db", "gbnt.db.lock", "gbnt.db.ballast", KEPT}
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}


async def test_what_a_killed_gbnt_left_in_its_log_is_kept_too(live: SqliteStore, tmp_path: Path, snapshot: Path):
    crashed = tmp_path / "crashed"
    shutil.copytree(live.path.parent, crashed)
    assert (crashed / "gbnt.db-wal").stat().st_size
    assert restore(snapshot, crashed / "gbnt.db", at=AT).epoch > 2
    assert keys_in(crashed / KEPT) == ["web.1", "web.2", "web.3"]
    assert keys_in(crashed / "gbnt.db") == ["web.1"]


async def test_a_running_gbnt_is_not_restored_under_its_feet(live: SqliteStore, path: Path, snapshot: Path):
    with pytest.raises(Locked, match="stop that one"):
        restore(snapshot, path, at=AT)
    assert await keys(live) == ["web.1", "web.2", "web.3"]


async def test_a_log_that_lost_its_database_is_put_aside(
    live: SqliteStore, open_store: OpenSqlite, path: Path, snapshot: Path
):
    await live.close()
    path.write_bytes(b"")
    path.with_name("gbnt.db-wal").write_bytes(b"rubble " * 1000)
    restore(snapshot, path, at=AT)
    assert await keys(await open_store()) == ["web.1"]
    assert path.with_name(f"{KEPT}-wal").read_bytes() == b"rubble " * 1000


async def test_a_damaged_store_is_replaced_and_kept(
    live: SqliteStore, open_store: OpenSqlite, path: Path, snapshot: Path
):
    await live.close()
    path.write_bytes(b"rubbish " * 1000)
    restore(snapshot, path, at=AT)
    assert await keys(await open_store()) == ["web.1"]
    assert path.with_name(KEPT).read_bytes() == b"rubbish " * 1000


async def test_a_new_machine_starts_from_a_snapshot(
    live: SqliteStore, open_store: OpenSqlite, tmp_path: Path, snapshot: Path
):
    elsewhere = tmp_path / "new" / "store" / "gbnt.db"
    restore(snapshot, elsewhere, at=AT)
    assert await keys(await open_store(elsewhere)) == ["web.1"]


@pytest.mark.parametrize("damage", ["missing", "rubbish", "cut", "another program's"])
async def test_a_snapshot_that_is_none_changes_nothing(live: SqliteStore, path: Path, snapshot: Path, damage: str):
    await live.close()
    if damage == "rubbish":
        snapshot.write_bytes(b"rubbish " * 1000)
    elif damage == "cut":
        snapshot.write_bytes(snapshot.read_bytes()[: 5 * 4096])
    else:
        snapshot.unlink()
    if damage == "another program's":
        with closing(sqlite3.connect(snapshot)) as other:
            other.execute("CREATE TABLE bookmarks (url TEXT)")
    with pytest.raises(StoreError) as raised:
        restore(snapshot, path, at=AT)
    assert isinstance(raised.value, Corrupt) or damage == "missing"
    assert keys_in(path) == ["web.1", "web.2", "web.3"]
    assert not list(path.parent.glob("*restor*"))


async def test_a_newer_snapshot_changes_nothing(live: SqliteStore, path: Path, snapshot: Path):
    await live.close()
    with closing(sqlite3.connect(snapshot)) as other, other:
        other.execute("INSERT INTO migrations VALUES (?, 'from the future')", (NEWEST + 1,))
    with pytest.raises(NewerSchema):
        restore(snapshot, path, at=AT)
    assert keys_in(path) == ["web.1", "web.2", "web.3"]


async def test_a_second_restore_in_one_second_does_not_lose_the_first_ones_file(
    live: SqliteStore, path: Path, snapshot: Path
):
    await live.close()
    restore(snapshot, path, at=AT)
    with pytest.raises(StoreError, match="exists"):
        restore(snapshot, path, at=AT)
    assert keys_in(path.with_name(KEPT)) == ["web.1", "web.2", "web.3"]
    restore(snapshot, path, at=AT + 1)
    assert keys_in(path) == ["web.1"]


async def test_a_full_disk_changes_nothing(open_store: OpenSqlite, small_disk: Path, live: SqliteStore, snapshot: Path):
    target = small_disk / "gbnt.db"
    await (await open_store(target)).close()
    before = target.read_bytes()
    (small_disk / "ballast").write_bytes(b"x" * 800_000)
    with pytest.raises(StoreError, match="full"):
        restore(snapshot, target, at=AT)
    assert target.read_bytes() == before
    assert {file.name for file in small_disk.iterdir()} == {"gbnt.db", "gbnt.db.lock", "ballast"}


async def test_time_in_which_others_may_have_gone_on_from_a_snapshot_is_left_to_them(
    live: SqliteStore, tmp_path: Path, snapshot: Path
):
    one, another = (tmp_path / name / "gbnt.db" for name in ("one", "another"))
    first = restore(snapshot, one, at=AT, made_at=AT - 60)
    second = restore(snapshot, another, at=AT + 3600, made_at=AT - 60)
    assert second.revision >= first.revision + 3_600_000
    assert second.epoch >= first.epoch + 3600
    clock_set_back = restore(snapshot, tmp_path / "third" / "gbnt.db", at=AT, made_at=AT + 60)
    assert clock_set_back.revision > 1_000_000
