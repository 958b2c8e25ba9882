"""Copies of a store in one file each: how they are named, made, made durable, and read."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from store import database
from store.contract import Corrupt, SnapshotInfo, StoreError, Unavailable

SUFFIX = ".db"
_NAME = "gbnt-%Y%m%dT%H%M%S.%fZ"


@dataclass(frozen=True, slots=True)
class Image:
    """A store as the bytes of its file, and where it stands."""

    content: bytes = field(repr=False)
    revision: int
    schema: int


def stamp(at: float) -> str:
    """A time as it stands in names; `at` is in seconds since the epoch."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")


def file_name(at: float) -> str:
    """What a snapshot of that time is called; `at` is in seconds since the epoch."""
    return datetime.fromtimestamp(at, UTC).strftime(_NAME) + SUFFIX


def time_of(path: Path) -> float:
    """When a snapshot of this name was made. Raises ValueError for a name that `file_name` did not give."""
    return datetime.strptime(path.stem, _NAME).replace(tzinfo=UTC).timestamp()


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


def image(source: Path) -> Image:
    """The last committed state of the store at `source`, while others write to it; its soundness was checked.

    It is made in memory: who is killed meanwhile leaves no secret of the cluster in a file that nobody knows. Raises
    Corrupt, or Unavailable where it cannot be read now.
    """
    try:
        if not source.stat().st_size:
            # SQLite would take the log beside it for a stranger's, and remove it.
            raise Corrupt(f"{source} is empty: bring the state back by `gbnt snapshot restore`")
        with (
            database.opened(source, "mode=rw") as live,
            closing(sqlite3.connect(":memory:", isolation_level=None)) as copy,
        ):
            copy.row_factory = live.row_factory
            live.backup(copy)  # in one step, which is one state
            copy.execute("VACUUM")
            database.check(copy, source, "integrity_check")
            head = database.head(copy, source)
            return Image(copy.serialize(), head.revision, head.schema)
    except (sqlite3.Error, OSError) as error:
        raise Unavailable(f"{source} cannot be copied: {error}") from error


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
