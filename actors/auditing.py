"""What the Senate's audit says of a deed: pure, but for the reading of what was kept."""

from __future__ import annotations

from actors import protocol, records
from cluster.audit import AuditRecord, Deed
from store import entities
from store.contract import Store

KEPT_RECORDS = 50_000
KEPT_SECONDS = 90 * 24 * 3600.0


def record(
    deed: Deed, reply: object, now: float, revision: int, *, decided: bool, repeated: bool
) -> AuditRecord | None:
    """The record of a deed that was answered so; None for a machine that asks again for what it has."""
    if isinstance(reply, protocol.Refused):
        return AuditRecord(deed, reply.code, now, reply.message, revision)
    if decided:
        return AuditRecord(deed, "done", now, _told(reply), revision)
    if deed.caller.role == "open":
        return None
    return AuditRecord(deed, "repeated" if repeated else "unchanged", now, "", revision)


def noted(note: protocol.NoteDeed, now: float, revision: int) -> AuditRecord:
    """The record of what was refused or done without the Senate."""
    return AuditRecord(note.deed, note.outcome, now, note.message, revision)


async def read(store: Store, wanted: protocol.GetAudit) -> protocol.Audit:
    """The records that are wanted. Raises store.contract.StoreError."""
    twice = [one for value in (wanted.before, wanted.who, wanted.action, wanted.outcome) for one in (value, value)]
    rows = await store.read(entities.AUDIT, (*twice, wanted.since, wanted.limit))
    return protocol.Audit(tuple(records.to_record(row) for row in rows))


def _told(reply: object) -> str:
    """What became of each part, in short."""
    changes = reply.changes if isinstance(reply, protocol.Accepted) else {}
    return ", ".join(f"{name}: {word}" for name, word in changes.items())[:1000]
