"""Copies of a store in one file each: how they are made, made durable, and read."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from store import database
from store.contract import SnapshotInfo, StoreError, Unavailable


def write_copy(source: Path, target: Path) -> SnapshotInfo:
    """Copy the last committed state of the store at `source` to `target`, while others write to it.

    The copy appears under its name whole and on disk, or not at all; `VACUUM INTO` leaves free pages behind.
    Raises StoreError where `target` is there already, Unavailable where the disk does not take it.
    """
    if target.exists():
        raise StoreError(f"{target} is there already: choose another name, or remove it first")
    partial = target.with_name(f"{target.name}.partial")
    try:
        # SQLite takes an empty file for its target: made here, it is private from its first byte.
        partial.unlink(missing_ok=True)
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with database.opened(source, "mode=rw") as connection:
            connection.execute("VACUUM INTO ?", (str(partial),))
        sync(partial)
        partial.rename(target)
        sync(target.parent)
    except (sqlite3.Error, OSError) as error:
        raise Unavailable(f"no snapshot was written to {target}: {error}") from error
    finally:
        partial.unlink(missing_ok=True)
    return describe(target)


def describe(path: Path) -> SnapshotInfo:
    """What a snapshot file holds. Raises Corrupt for a file that is no store."""
    stat = path.stat()
    with database.opened(path, "mode=ro&immutable=1") as connection:
        head = database.head(connection, path)
    return SnapshotInfo(
        name=path.stem,
        path=path,
        size=stat.st_size,
        created_at=stat.st_mtime,
        revision=head.revision,
        epoch=head.epoch,
        schema=head.schema,
    )


def sync(path: Path) -> None:
    """Bring a file or a folder's entries to the disk.

    Never for a live database: closing any descriptor of a file drops the locks that SQLite holds on it.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
