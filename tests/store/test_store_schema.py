"""Migrations: numbered, run once, all or nothing."""

import sqlite3
from contextlib import closing

import pytest

from store.contract import NewerSchema
from store.database import connect_writer
from store.schema import MIGRATIONS, NEWEST, Table, pending


def test_migrations_are_numbered_from_one_without_a_gap():
    assert [migration.number for migration in MIGRATIONS] == list(range(1, NEWEST + 1))


@pytest.mark.parametrize("current", range(NEWEST + 1))
def test_what_is_pending_is_what_comes_after(current: int):
    assert [migration.number for migration in pending(current, where="here")] == list(range(current + 1, NEWEST + 1))


def test_a_newer_schema_says_what_to_do():
    with pytest.raises(NewerSchema, match=r"^here has schema 1000 .* run the newer gbnt .* or restore a snapshot"):
        pending(1000, where="here")


def test_every_entity_has_a_table_of_the_one_shape(path):
    path.parent.mkdir()
    with closing(connect_writer(path)) as connection:
        for table in Table:
            columns = [row["name"] for row in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))]
            assert columns == ["key", "version", "body"]


def test_each_migration_runs_once(path):
    path.parent.mkdir()
    for _ in range(3):
        with closing(connect_writer(path)) as connection:
            rows = connection.execute("SELECT number, name FROM migrations").fetchall()
    assert [(row["number"], row["name"]) for row in rows] == [(m.number, m.name) for m in MIGRATIONS]


def test_no_statement_asks_for_the_time_or_for_chance():
    text = " ".join(sql for migration in MIGRATIONS for sql in migration.statements).lower()
    assert not [word for word in ("random", "now", "current_", "julianday", "strftime", "unixepoch") if word in text]


@pytest.mark.parametrize("statement", [sql for sql in MIGRATIONS[0].statements if sql.startswith("CREATE TABLE")])
def test_a_migration_that_fails_half_way_leaves_nothing_behind(path, statement: str):
    """Each table in turn is there already, as somebody's repair by hand may leave it."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT")
        connection.execute(statement)
        before = connection.execute("SELECT name FROM sqlite_master").fetchall()
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        connect_writer(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == before
