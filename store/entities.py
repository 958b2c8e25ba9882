"""The statements that the Senate's commands are made of. Nothing here runs them, reads a clock or decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from cluster.event import OF_ADMINS
from store.contract import Statement
from store.schema import Table

REVISION = "SELECT rev, compacted FROM revision"
"""One row: the newest revision, and the newest one whose events may have been forgotten."""

_EVENTS = "SELECT rev, n, at, kind, subject, message, body FROM events"
_OPEN = " AND ".join(f"kind NOT GLOB '{word}.*'" for word in OF_ADMINS)
_SHOWN = f"(? = 0 OR ({_OPEN}))"


def _with_compacted(events: str, order: str) -> str:
    """Each row has `compacted` of REVISION beside it; where there is no event, there is one row without a `rev`."""
    columns = "e.rev, e.n, e.at, e.kind, e.subject, e.message, e.body, revision.compacted"
    return f"SELECT {columns} FROM revision LEFT JOIN ({events}) AS e ORDER BY {order}"


EVENTS_AFTER = _with_compacted(f"{_EVENTS} WHERE (rev, n) > (?, ?) AND {_SHOWN} ORDER BY rev, n LIMIT ?", "e.rev, e.n")
"""Events after an event, in order; parameters `(rev, n, discreet, limit)`. Complete only where `rev >= compacted`.

Where `discreet` is 1 and not 0, those for admins alone are left out.
"""

NEWEST_EVENTS = _with_compacted(f"{_EVENTS} WHERE {_SHOWN} ORDER BY rev DESC, n DESC LIMIT ?", "e.rev DESC, e.n DESC")
"""The newest events, newest first; parameters `(discreet, limit)`."""

AUDIT = (
    "SELECT n, at, deed, outcome, message, rev FROM audit"
    " WHERE (? = 0 OR n < ?) AND (? = '' OR who = ?) AND (? = '' OR action GLOB ?) AND (? = '' OR outcome = ?)"
    " AND at >= ?"
    " ORDER BY n DESC LIMIT ?"
)
"""The newest records, newest first; parameters `(before, before, who, who, action, action, outcome, outcome, since,
limit)`, of which 0 and the empty text are any; `action` may have stars."""


def every(table: Table) -> str:
    """The SELECT of a whole table, ordered by key: rows of `key`, `version`, `body`."""
    return f"SELECT key, version, body FROM {table} ORDER BY key"


def put(table: Table, key: str, body: str, *, version: int) -> Statement:
    """Write one entity, `body` being its JSON, at `version`; it replaces whatever is there."""
    return Statement(
        f"INSERT INTO {table} (key, version, body) VALUES (?, ?, ?)"
        " ON CONFLICT (key) DO UPDATE SET version = excluded.version, body = excluded.body",
        (key, version, body),
    )


def delete(table: Table, key: str) -> Statement:
    """Remove one entity. Its absence is fine."""
    return Statement(f"DELETE FROM {table} WHERE key = ?", (key,))


def event(rev: int, n: int, *, at: float, kind: str, subject: str, message: str, body: str = "{}") -> Statement:
    """The `n`-th event of revision `rev`, for watchers, UI and `gbnt events`. `at` is in seconds since the epoch.

    `body` is a JSON object with what else is known of it.
    """
    return Statement(
        "INSERT INTO events (rev, n, at, kind, subject, message, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (rev, n, at, kind, subject, message, body),
    )


def audit(at: float, deed: str, outcome: str, message: str, *, who: str, action: str, rev: int) -> Statement:
    """The next record of the audit; `deed` is JSON. `at` is in seconds since the epoch."""
    return Statement(
        "INSERT INTO audit (at, who, action, outcome, message, rev, deed) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (at, who, action, outcome, message, rev, deed),
    )


def bump_revision(expected: int) -> Statement:
    """Go from revision `expected` to the next. A CONFLICT means that the decision was made on an older state."""
    return Statement("UPDATE revision SET rev = rev + 1 WHERE rev = ?", (expected,), expect_rows=1)


def forget_events(*, keep: int, since: float) -> tuple[Statement, ...]:
    """Keep the newest `keep` events and none from before `since` (seconds since the epoch), but for the newest of all.

    Whole revisions go, oldest first, and the floor is recorded: a watcher never sees a revision in part, and one that
    has the newest event has missed nothing, however long ago that was.
    """
    return (
        Statement(
            "UPDATE revision SET compacted = MAX(compacted, COALESCE("
            "(SELECT rev FROM events ORDER BY rev DESC, n DESC LIMIT 1 OFFSET ?), 0))",
            (keep,),
        ),
        Statement(
            "UPDATE revision SET compacted = MAX(compacted, COALESCE("
            "(SELECT rev - 1 FROM events WHERE at >= ? ORDER BY rev, n LIMIT 1),"
            " (SELECT MAX(rev) - 1 FROM events), 0))",
            (since,),
        ),
        Statement("DELETE FROM events WHERE rev <= (SELECT compacted FROM revision)"),
    )


def forget_audit(*, keep: int, apart: Sequence[Sequence[str]], keep_apart: int, since: float) -> tuple[Statement, ...]:
    """Keep the newest records of the audit and none from before `since` (seconds since the epoch).

    Of each set of outcomes `apart` it is `keep_apart` that stay, and `keep` of all others.
    """
    aged = Statement("DELETE FROM audit WHERE at < ?", (since,))
    others = _forget_outcomes("NOT IN", [outcome for outcomes in apart for outcome in outcomes], keep)
    return aged, others, *(_forget_outcomes("IN", outcomes, keep_apart) for outcomes in apart)


def _forget_outcomes(among: Literal["IN", "NOT IN"], outcomes: Sequence[str], keep: int) -> Statement:
    marks = ", ".join("?" * len(outcomes))
    return Statement(
        f"DELETE FROM audit WHERE outcome {among} ({marks}) AND n <= COALESCE("
        f"(SELECT n FROM audit WHERE outcome {among} ({marks}) ORDER BY n DESC LIMIT 1 OFFSET ?), 0)",
        (*outcomes, *outcomes, keep),
    )


def forget_requests(*, before: int) -> Statement:
    """Forget request ids committed at a revision under `before`. A retry that is older than that would run again."""
    return Statement("DELETE FROM requests WHERE rev < ?", (before,))
