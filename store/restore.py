"""Going back to a snapshot, such that nothing which saw the later state is misled by the older one."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

from cluster.decide.nodes import HOLD
from store import database
from store.contract import Corrupt, SnapshotInfo, StoreError
from store.copies import describe, stamp, sync
from store.database import Head
from store.entities import put
from store.lock import StoreLock
from store.schema import Table, pending

# A damaged store cannot say how far it got: the gaps are wider than any that lies between two kept snapshots.
_REVISION_GAP = 1_000_000
_EPOCH_GAP = 1_000
_REVISIONS_PER_SECOND = 1_000  # more than a disk commits


def restore(snapshot: Path, target: Path, *, at: float, made_at: float | None = None) -> SnapshotInfo:
    """Put the state of `snapshot` in the place of the store at `target`, and return what is there now.

    What was there stays beside it as `<name>.before-restore-<at>`; `at` is in seconds since the epoch. Revision and
    epoch go on above every one handed out, every watcher starts afresh, and containers that the older state does not
    know are held until a person confirms. `made_at` is when the snapshot was made, where a gbnt that `target` knows
    nothing of may have gone on from it: all the time since it may have handed numbers out. Blocks. Raises Locked while
    a gbnt runs on `target`, Corrupt or NewerSchema for the snapshot, StoreError where the disk refuses; `target` is as
    it was then.
    """
    _check_snapshot(snapshot)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = StoreLock(target)
    fresh = target.with_name(f"{target.name}.restoring")
    try:
        _prepare(snapshot, fresh, _last_head(target), at, made_at)
        _replace(target, fresh, f"{target.name}.before-restore-{stamp(at)}")
        return describe(target)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{snapshot} was not restored to {target}: {error}") from error
    finally:
        fresh.unlink(missing_ok=True)
        lock.release()


def _check_snapshot(snapshot: Path) -> None:
    if not snapshot.is_file():
        raise StoreError(f"there is no snapshot {snapshot}: `gbnt snapshot ls` shows those there are")
    with database.opened(snapshot, "mode=ro&immutable=1") as connection:
        database.check(connection, snapshot, "integrity_check")
        pending(database.head(connection, snapshot).schema, where=str(snapshot))


def _last_head(target: Path) -> Head:
    """How far the replaced store got, as far as it can tell. Closing it folds its log into the one file to keep.

    An empty file is not opened: SQLite would take the log beside it for a stranger's, and remove it.
    """
    if target.exists() and target.stat().st_size:
        try:
            with database.opened(target, "mode=rw") as connection:
                return database.head(connection, target)
        except (Corrupt, sqlite3.Error):
            pass
    return Head(revision=0, epoch=0, schema=0)


def _prepare(snapshot: Path, fresh: Path, last: Head, at: float, made_at: float | None) -> None:
    fresh.unlink(missing_ok=True)
    os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    with database.opened(snapshot, "mode=ro&immutable=1") as source:
        head = database.head(source, snapshot)
        source.execute("VACUUM INTO ?", (str(fresh),))
    unseen = max(0, int(at - (at if made_at is None else made_at)))
    revision = max(head.revision, last.revision) + _REVISION_GAP + unseen * _REVISIONS_PER_SECOND
    epoch = max(head.epoch, last.epoch) + _EPOCH_GAP + unseen
    why = json.dumps(f"restored from {snapshot.name} (revision {head.revision}) at {stamp(at)}")
    held = put(Table.SETTINGS, HOLD, why, version=revision)
    with database.opened(fresh, "mode=rw") as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE revision SET rev = ?, compacted = ?", (revision, revision))
        connection.execute("UPDATE leader SET holder = '', epoch = ?", (epoch,))
        connection.execute(held.sql, held.parameters)
        connection.execute("COMMIT")
    sync(fresh)


def _replace(target: Path, fresh: Path, kept_name: str) -> None:
    """Swap in one rename: killed at any moment, there is the old store or the new one, never none."""
    if target.exists():
        os.link(target, target.with_name(kept_name))
        # Left only where it could not be folded in. Beside another file, it would be taken for that one's.
        log = target.with_name(f"{target.name}-wal")
        if log.exists():
            log.rename(target.with_name(f"{kept_name}-wal"))
        target.with_name(f"{target.name}-shm").unlink(missing_ok=True)
    fresh.rename(target)
    sync(target.parent)
