"""A batch in SQL: the caller's statements between the guards that make them safe to send twice, or too late.

The text is the same for every engine, and so are the messages by which a guard makes itself known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from store.contract import Outcome, Statement

_WRITES = frozenset({"INSERT", "UPDATE", "DELETE"})

_GUARD_MESSAGES = {
    "UNIQUE constraint failed: requests.rid": Outcome.DUPLICATE,
    "gbnt:fenced": Outcome.FENCED,
    "gbnt:conflict": Outcome.CONFLICT,
}


def compiled(statements: Sequence[Statement], *, rid: str, epoch: int) -> Iterator[Statement]:
    """The whole batch, guards included, in the order in which one transaction must run it.

    The request id comes first: a batch that was committed is a DUPLICATE even for a writer that is fenced by now.
    """
    yield Statement("INSERT INTO requests (rid, epoch, rev) SELECT ?, ?, rev FROM revision", (rid, epoch))
    yield Statement("INSERT INTO guard (kind, ok) SELECT 'epoch', epoch = ? FROM leader", (epoch,))
    for statement in statements:
        yield statement
        if statement.expect_rows is not None:
            # Neither engine takes "no row changed" for an error; changes() is the statement's just before.
            yield Statement("INSERT INTO guard (kind, ok) VALUES ('rows', changes() = ?)", (statement.expect_rows,))


def misplaced(statements: Sequence[Statement]) -> str:
    """Why these statements cannot be in a batch, or nothing. A COMMIT among them would end the transaction half-way."""
    for statement in statements:
        verb = statement.sql.lstrip().split(maxsplit=1)[:1]
        if not verb or verb[0].upper() not in _WRITES:
            return f"a batch holds INSERT, UPDATE and DELETE only, not: {shortened(statement.sql)}"
    return ""


def guard_outcome(message: str) -> Outcome | None:
    """The outcome that a guard's error message stands for; None if the error is no guard's."""
    return next((outcome for text, outcome in _GUARD_MESSAGES.items() if text in message), None)


def shortened(sql: str) -> str:
    """A statement's text for an error message: one line, without its parameters, which may be secrets."""
    line = " ".join(sql.split())
    return line if len(line) <= 120 else f"{line[:117]}..."
