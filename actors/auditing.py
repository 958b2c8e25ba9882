"""What the Senate's audit says of a deed, and what of it each batch writes and forgets: pure, but for reading."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from actors import protocol, records
from cluster.audit import APART, AuditRecord, recorded
from store import entities
from store.contract import Statement, Store

KEPT_RECORDS = 50_000
KEPT_APART = 10_000
KEPT_SECONDS = 90 * 24 * 3600.0
FORGET_EVERY = 500
"""Records, or batches without one: so many come before the oldest go."""
MOST_WAITING = 1_000
"""Records that wait for a store that takes nothing; of more the oldest are lost."""


class Ledger:
    """The audit's part of each batch: what is new, what a full disk took not yet, and that the oldest go."""

    def __init__(self) -> None:
        self._waiting: deque[AuditRecord] = deque(maxlen=MOST_WAITING)
        self._written = 0

    @property
    def waiting(self) -> int:
        """How many records are in memory alone."""
        return len(self._waiting)

    def batch(self, fresh: Sequence[AuditRecord], now: float) -> list[Statement]:
        """What to write of the audit in a batch, oldest first. `now` is in seconds since the epoch."""
        statements = [records.audited(record) for record in (*self._waiting, *fresh)]
        self._written += max(1, len(statements))
        if self._written < FORGET_EVERY:
            return statements
        self._written = 0
        return [
            *statements,
            *entities.forget_audit(keep=KEPT_RECORDS, apart=APART, keep_apart=KEPT_APART, since=now - KEPT_SECONDS),
        ]

    def taken(self) -> None:
        """The batch is durable."""
        self._waiting.clear()

    def refused(self, fresh: Sequence[AuditRecord]) -> None:
        """It is not: these wait for the next one with those that did before."""
        self._waiting.extend(fresh)


def record(
    asked: protocol.Asked, reply: object, now: float, revision: int, *, decided: bool, repeated: bool
) -> AuditRecord | None:
    """The record of what was asked and answered so; None for a machine that asks again for what it has."""
    deed = asked.deed
    if isinstance(reply, protocol.Refused):
        return recorded(deed, reply.code, now, reply.message, revision)
    if decided:
        return recorded(deed, "begun" if asked.begins else "done", now, _told(reply), revision)
    if deed.caller.role == "open":
        return None
    return recorded(deed, "repeated" if repeated else "unchanged", now, "", revision)


def noted(note: protocol.NoteDeed, now: float, revision: int) -> AuditRecord:
    """The record of what was refused or done without the Senate."""
    return recorded(note.deed, note.outcome, now, note.message, revision)


async def read(store: Store, wanted: protocol.GetAudit) -> protocol.Audit:
    """The records that are wanted. Raises store.contract.StoreError."""
    twice = [one for value in (wanted.before, wanted.who, wanted.action, wanted.outcome) for one in (value, value)]
    rows = await store.read(entities.AUDIT, (*twice, wanted.since, wanted.limit))
    return protocol.Audit(tuple(records.to_record(row) for row in rows))


def _told(reply: object) -> str:
    """What became of each part, in short."""
    changes = reply.changes if isinstance(reply, protocol.Accepted) else {}
    return ", ".join(f"{name}: {word}" for name, word in changes.items())
