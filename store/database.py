"""The database file: connecting, checking that it is sound and ours, and bringing its schema up to date."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from store.contract import Corrupt, Row
from store.driver_errors import is_of_the_file
from store.schema import MIGRATIONS_TABLE, RECORD_MIGRATION, pending

# Nobody else writes a locked store: only a person with the sqlite3 shell can make us wait.
_BUSY_SECONDS = 0.5
_CACHED_STATEMENTS = 512

_RESTORE_HINT = "restore a snapshot with `gbnt snapshot restore`"


@dataclass(frozen=True, slots=True)
class Head:
    """Where a store stands."""

    revision: int
    epoch: int
    schema: int


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """Connect in autocommit mode. `mode` is what follows the `?` of an SQLite URI, such as `mode=ro`."""
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?{mode}",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_CACHED_STATEMENTS,
    )
    connection.row_factory = _as_mapping
    return connection


def connect_writer(path: Path) -> sqlite3.Connection:
    """Create or open the store at `path`, sound, in WAL mode and at the newest schema.

    Raises Corrupt or NewerSchema. The file is private to its owner, and so are the files SQLite makes beside it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    is_empty = os.fstat(descriptor).st_size == 0
    os.close(descriptor)
    path.chmod(0o600)
    log = path.with_name(f"{path.name}-wal")
    if is_empty and log.exists():
        # SQLite would remove the log and start an empty store, as though there had never been a cluster.
        raise Corrupt(f"{log} is there without its database: bring {path.name} back, or {_RESTORE_HINT}")
    connection = connect(path, "mode=rw")
    try:
        check(connection, path, "quick_check")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("PRAGMA journal_size_limit = 67108864")
        _migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """A connection that sees the last committed state and refuses to write."""
    connection = connect(path, "mode=rw")
    connection.execute("PRAGMA query_only = ON")
    return connection


@contextmanager
def opened(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    """A connection that is closed at the end of the block."""
    connection = connect(path, mode)
    try:
        yield connection
    finally:
        connection.close()


def check(connection: sqlite3.Connection, path: Path, pragma: str) -> None:
    """Raise Corrupt unless the file is a sound database, by `quick_check` or `integrity_check`.

    Raises sqlite3.Error where that cannot be found out now: the disk is full, or fails.
    """
    try:
        verdict = next(iter(connection.execute(f"PRAGMA {pragma}(1)").fetchone().values()))
    except sqlite3.DatabaseError as error:
        if not is_of_the_file(error):
            raise
        raise Corrupt(f"{path} is not a sound store ({error}): {_RESTORE_HINT}") from error
    if verdict != "ok":
        raise Corrupt(f"{path} is damaged ({verdict}): {_RESTORE_HINT}")


def schema_number(connection: sqlite3.Connection, path: Path) -> int:
    """The newest migration in the store; 0 for an empty file. Raises Corrupt for somebody else's database."""
    names = {row["name"] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not names:
        return 0
    if "migrations" not in names:
        raise Corrupt(f"{path} is a database, but not one of gbnt's: name another file, or {_RESTORE_HINT}")
    number: int = connection.execute("SELECT COALESCE(MAX(number), 0) AS number FROM migrations").fetchone()["number"]
    return number


def head(connection: sqlite3.Connection, path: Path) -> Head:
    """Read where the store stands. Raises Corrupt where it was never set up."""
    try:
        row = next(connection.execute("SELECT rev, epoch FROM revision, leader"))
        return Head(revision=row["rev"], epoch=row["epoch"], schema=schema_number(connection, path))
    except (sqlite3.DatabaseError, StopIteration) as error:
        raise Corrupt(f"{path} is not a sound store ({error}): {_RESTORE_HINT}") from error


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    for migration in pending(schema_number(connection, path), where=str(path)):
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute(MIGRATIONS_TABLE)
            for statement in migration.statements:
                connection.execute(statement)
            connection.execute(RECORD_MIGRATION, (migration.number, migration.name))
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def _as_mapping(cursor: sqlite3.Cursor, values: tuple[str | int | float | bytes | None, ...]) -> Row:
    return {column[0]: value for column, value in zip(cursor.description, values, strict=True)}
