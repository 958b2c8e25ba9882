"""The Senate's records as rows: each entity is one row of JSON in its table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, get_args

import orjson
from pydantic import TypeAdapter

from cluster.audit import AuditRecord, Deed
from cluster.decide.decision import Happening
from cluster.event import Event
from cluster.model import (
    Change,
    Config,
    Departed,
    JoinToken,
    Network,
    Node,
    RegistryLogin,
    Service,
    Stack,
    State,
    Table,
    Task,
    Token,
)
from cluster.revisions import StackDraft, StackRevision
from cluster.spec import ServiceSpec, as_json
from cluster.users import User
from store import entities
from store.contract import Row, Statement, Store
from store.schema import Table as Rows

TYPES: Mapping[Table, type] = {
    "stacks": Stack,
    "stack_revisions": StackRevision,
    "stack_drafts": StackDraft,
    "services": Service,
    "tasks": Task,
    "networks": Network,
    "configs": Config,
    "nodes": Node,
    "departed": Departed,
    "tokens": Token,
    "users": User,
    "join_tokens": JoinToken,
    "registries": RegistryLogin,
    "revisions": ServiceSpec,
    "settings": str,
    "commands": str,
}

Bodies = Mapping[tuple[Table, str], str | None]
"""Entities as JSON by their places; None for one that goes."""


@cache
def _adapter(table: Table) -> TypeAdapter[Any]:
    return TypeAdapter(TYPES[table])


def to_bodies(changes: Iterable[Change]) -> Bodies:
    """What is to be written of changes; the last one of a row counts. Raises Unwritable."""
    return {
        (change.table, change.key): None if change.entity is None else as_json(change.entity).decode()
        for change in changes
    }


def from_body(table: Table, body: str) -> object:
    """The entity of a row. Raises pydantic's ValidationError for one that no gbnt of this version wrote."""
    return _adapter(table).validate_json(body)


def statements(bodies: Bodies, events: Iterable[Event], revision: int) -> list[Statement]:
    """The batch that writes these rows, with their events, at `revision`; it holds only at the revision before."""
    batch = [entities.bump_revision(revision - 1)]
    for (table, key), body in bodies.items():
        if body is None:
            batch.append(entities.delete(Rows(table), key))
        else:
            batch.append(entities.put(Rows(table), key, body, version=revision))
    return batch + [_row(event) for event in events]


def _row(event: Event) -> Statement:
    return entities.event(
        event.revision,
        event.number,
        at=event.at,
        kind=event.kind,
        subject=event.subject,
        message=event.message,
        body=orjson.dumps({"request": event.request} if event.request else {}).decode(),
    )


def numbered(happenings: Sequence[Happening], revision: int, now: float) -> tuple[Event, ...]:
    """Happenings as events of a revision, in order."""
    return tuple(Event(revision, n, now, h.kind, h.subject, h.message, h.request) for n, h in enumerate(happenings))


def to_events(rows: Sequence[Row]) -> tuple[tuple[Event, ...], int]:
    """Events from what EVENTS_AFTER or NEWEST_EVENTS gave, and the newest revision whose events may be forgotten."""
    return tuple(_to_event(row) for row in rows if row["rev"] is not None), int(rows[0]["compacted"] or 0)


def _to_event(row: Row) -> Event:
    return Event(
        int(row["rev"] or 0),
        int(row["n"] or 0),
        float(row["at"] or 0.0),
        str(row["kind"]),
        str(row["subject"]),
        str(row["message"]),
        str(orjson.loads(str(row["body"])).get("request", "")),
    )


def audited(record: AuditRecord) -> Statement:
    """The statement that keeps a record."""
    deed = orjson.dumps(record.deed).decode()
    who, action = record.deed.caller.name, record.deed.action
    return entities.audit(record.at, deed, record.outcome, record.message, who=who, action=action, rev=record.revision)


def to_record(row: Row) -> AuditRecord:
    """A record of the audit from its row."""
    return AuditRecord(
        _deeds().validate_json(str(row["deed"])),
        str(row["outcome"]),
        float(row["at"] or 0.0),
        str(row["message"]),
        int(row["rev"] or 0),
        int(row["n"] or 0),
    )


@cache
def _deeds() -> TypeAdapter[Deed]:
    return TypeAdapter(Deed)


async def load(store: Store, epoch: int) -> State:
    """The whole state as the store has it."""
    tables: dict[str, dict[str, Any]] = {}
    for table in get_args(Table):
        rows = await store.read(entities.every(Rows(table)))
        # Oldest first, so that what is kept up to a number of rows loses its oldest.
        oldest_first = sorted(rows, key=lambda row: int(row["version"] or 0))
        tables[table] = {str(row["key"]): from_body(table, str(row["body"])) for row in oldest_first}
    revision = await store.read(entities.REVISION)
    return State(revision=int(revision[0]["rev"] or 0), epoch=epoch, **tables)
