"""The schema as numbered migrations: each runs once, in one transaction, in order.

Only SQL that SQLite and dqlite both take, and neither a clock nor randomness in it: replicas must agree on the result.
A released migration is never edited; a change of mind is the next number.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from store.contract import NewerSchema


class Table(StrEnum):
    """The entity tables. All have one shape: `key`, `version` and `body`, which is JSON."""

    NODES = "nodes"
    STACKS = "stacks"
    STACK_REVISIONS = "stack_revisions"
    STACK_DRAFTS = "stack_drafts"
    SERVICES = "services"
    REVISIONS = "revisions"
    TASKS = "tasks"
    NETWORKS = "networks"
    VOLUMES = "volumes"
    SECRETS = "secrets"
    CONFIGS = "configs"
    TOKENS = "tokens"
    JOIN_TOKENS = "join_tokens"
    DEPARTED = "departed"
    REGISTRIES = "registries"
    USERS = "users"
    SETTINGS = "settings"
    COMMANDS = "commands"


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema's history."""

    number: int
    name: str
    statements: tuple[str, ...]


MIGRATIONS_TABLE = "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT"
RECORD_MIGRATION = "INSERT INTO migrations (number, name) VALUES (?, ?)"

# `compacted` is the newest revision whose events may be gone: a watch from there or earlier must start afresh.
_REVISION = (
    "CREATE TABLE revision (id INTEGER PRIMARY KEY CHECK (id = 1), rev INTEGER NOT NULL, compacted INTEGER NOT NULL)"
    " STRICT",
    "INSERT INTO revision (id, rev, compacted) VALUES (1, 0, 0)",
)

_LEADER = (
    "CREATE TABLE leader (id INTEGER PRIMARY KEY CHECK (id = 1), holder TEXT NOT NULL, epoch INTEGER NOT NULL) STRICT",
    "INSERT INTO leader (id, holder, epoch) VALUES (1, '', 0)",
)

_REQUESTS = (
    "CREATE TABLE requests (rid TEXT PRIMARY KEY CHECK (rid <> ''), epoch INTEGER NOT NULL, rev INTEGER NOT NULL)"
    " STRICT",
    "CREATE INDEX requests_by_rev ON requests (rev)",
)

# SQL has no "fail unless": an insert into this view writes nothing, and aborts the transaction where `ok` is not 1.
# RAISE takes a literal message only (before SQLite 3.47), hence one trigger for each kind of guard.
_GUARD = (
    "CREATE VIEW guard AS SELECT '' AS kind, 1 AS ok",
    "CREATE TRIGGER guard_epoch INSTEAD OF INSERT ON guard WHEN NEW.kind = 'epoch' AND NEW.ok IS NOT 1"
    " BEGIN SELECT RAISE(ABORT, 'gbnt:fenced'); END",
    "CREATE TRIGGER guard_rows INSTEAD OF INSERT ON guard WHEN NEW.kind = 'rows' AND NEW.ok IS NOT 1"
    " BEGIN SELECT RAISE(ABORT, 'gbnt:conflict'); END",
)


def _entities(*names: str) -> tuple[str, ...]:
    return tuple(
        f"CREATE TABLE {name} (key TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) STRICT"
        for name in names
    )


_ENTITIES = _entities(
    # Not `for name in Table`: a table added later must come by a migration of its own.
    *("nodes", "stacks", "services", "revisions", "tasks", "networks", "volumes"),
    *("secrets", "configs", "tokens", "users", "settings", "commands"),
)

_EVENTS = (
    "CREATE TABLE events (rev INTEGER NOT NULL, n INTEGER NOT NULL, at REAL NOT NULL, kind TEXT NOT NULL,"
    " subject TEXT NOT NULL, message TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (rev, n)) STRICT",
)

_AUDIT = (
    "CREATE TABLE audit (n INTEGER PRIMARY KEY, at REAL NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL,"
    " outcome TEXT NOT NULL, message TEXT NOT NULL, rev INTEGER NOT NULL, deed TEXT NOT NULL) STRICT",
)

MIGRATIONS: tuple[Migration, ...] = (
    Migration(1, "guards, entities and events", _REVISION + _LEADER + _REQUESTS + _GUARD + _ENTITIES + _EVENTS),
    Migration(2, "join tokens, and nodes that were removed", _entities("join_tokens", "departed")),
    Migration(3, "sign-ins to registries", _entities("registries")),
    Migration(4, "what stacks said, and are to say", _entities("stack_revisions", "stack_drafts")),
    Migration(5, "who did what", _AUDIT),
)

NEWEST = MIGRATIONS[-1].number


def pending(current: int, *, where: str) -> tuple[Migration, ...]:
    """The migrations that a store at number `current` still lacks, in order.

    Raises NewerSchema, naming the store by `where`, if a newer gbnt wrote it.
    """
    if current > NEWEST:
        raise NewerSchema(
            f"{where} has schema {current} and this gbnt knows up to {NEWEST}: run the newer gbnt that wrote it,"
            " or restore a snapshot taken before that upgrade"
        )
    return tuple(migration for migration in MIGRATIONS if migration.number > current)
