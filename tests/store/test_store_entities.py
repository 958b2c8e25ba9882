"""The statements that commands are made of, run on a store."""

import pytest

from store import entities
from store.contract import Outcome, Statement
from store.schema import Table
from store.sqlite import SqliteStore
from tests.store.conftest import OpenSqlite

pytestmark = pytest.mark.anyio

EVENT_REVISIONS = "SELECT rev, n FROM events ORDER BY rev, n"


@pytest.fixture
async def store(open_store: OpenSqlite):
    store = await open_store(threaded=False)
    await store.claim_epoch("rome-1")
    return store


async def apply(store: SqliteStore, *statements: Statement) -> Outcome:
    rid = str((await store.read("SELECT COUNT(*) AS many FROM requests"))[0]["many"])
    return (await store.apply(statements, rid=rid, epoch=1)).outcome


async def happen(store: SqliteStore, revision: int, *times: float) -> None:
    """Go to `revision`, with one event at each of these times."""
    told = [entities.event(revision, n, at=at, kind="k", subject="s", message="m") for n, at in enumerate(times)]
    assert await apply(store, entities.bump_revision(revision - 1), *told) is Outcome.COMMITTED


async def kept(store: SqliteStore) -> list[int]:
    return [int(row["rev"] or 0) for row in await store.read(EVENT_REVISIONS)]


async def compacted(store: SqliteStore) -> int:
    return int((await store.read(entities.REVISION))[0]["compacted"] or 0)


async def test_put_replaces_what_is_there_and_delete_minds_no_absence(store: SqliteStore):
    for version, body in ((5, "old"), (9, "new")):
        assert await apply(store, entities.put(Table.NODES, "rome-1", body, version=version)) is Outcome.COMMITTED
        rows = [dict(row) for row in await store.read(entities.every(Table.NODES))]
        assert rows == [{"key": "rome-1", "version": version, "body": body}]
    for _ in range(2):
        assert await apply(store, entities.delete(Table.NODES, "rome-1")) is Outcome.COMMITTED
        assert not await store.read(entities.every(Table.NODES))


async def test_the_revision_goes_up_by_one_from_the_expected_one(store: SqliteStore):
    assert await apply(store, entities.bump_revision(0)) is Outcome.COMMITTED
    assert await apply(store, entities.bump_revision(0)) is Outcome.CONFLICT
    assert [dict(row) for row in await store.read(entities.REVISION)] == [{"rev": 1, "compacted": 0}]


async def test_events_after_a_revision_come_in_order_and_no_more_than_asked(store: SqliteStore):
    for revision in (1, 2, 3):
        await happen(store, revision, 10.0, 10.5)
    rows = await store.read(entities.EVENTS_AFTER, (1, 9, 0, 3))
    assert [(row["rev"], row["n"], row["at"]) for row in rows] == [(2, 0, 10.0), (2, 1, 10.5), (3, 0, 10.0)]
    rows = await store.read(entities.EVENTS_AFTER, (2, 0, 0, 3))
    assert [(row["rev"], row["n"]) for row in rows] == [(2, 1), (3, 0), (3, 1)]
    rows = await store.read(entities.NEWEST_EVENTS, (0, 2))
    assert [(row["rev"], row["n"], row["compacted"]) for row in rows] == [(3, 1, 0), (3, 0, 0)]


async def test_where_no_event_is_left_it_is_still_told_how_many_are_forgotten(store: SqliteStore):
    await happen(store, 1, 10.0)
    assert await apply(store, *entities.forget_events(keep=0, since=99.0)) is Outcome.COMMITTED
    for statement, parameters in ((entities.EVENTS_AFTER, (0, 0, 0, 3)), (entities.NEWEST_EVENTS, (0, 3))):
        [row] = await store.read(statement, parameters)
        assert (row["rev"], row["compacted"]) == (None, 1)


@pytest.mark.parametrize(("discreet", "told"), [(0, {0, 1, 2, 3}), (1, {2})])
async def test_events_for_admins_alone_are_left_out_where_that_is_wanted(store: SqliteStore, discreet, told):
    for number, kind in enumerate(("user.created", "token.revoked", "users.of", "join_token.issued")):
        added = entities.event(2, number, at=1.0, kind=kind, subject="x", message="")
        assert await apply(store, added) is Outcome.COMMITTED
    after, newest = ((1, 0, discreet, 4), entities.EVENTS_AFTER), ((discreet, 4), entities.NEWEST_EVENTS)
    for parameters, statement in (after, newest):
        assert {row["n"] for row in await store.read(statement, parameters)} == told


@pytest.mark.parametrize(
    ("keep", "since", "left"), [(9, 0.0, [4, 3, 2, 1]), (2, 0.0, [4, 3]), (9, 25.0, [4, 3]), (0, 0.0, [])]
)
async def test_the_audit_is_forgotten_by_count_and_age(store: SqliteStore, keep, since, left):
    for at in (10.0, 20.0, 30.0, 40.0):
        assert (
            await apply(store, entities.audit(at, "{}", "done", "", who="ci", action="a", rev=1)) is Outcome.COMMITTED
        )
    forget = entities.forget_audit(keep=keep, apart=(("forbidden",),), keep_apart=9, since=since)
    assert await apply(store, *forget) is Outcome.COMMITTED
    rows = await store.read(entities.AUDIT, (0, 0, "", "", "", "", "", "", 0.0, 100))
    assert [row["n"] for row in rows] == left


async def test_records_of_a_set_of_outcomes_push_out_none_but_themselves(store: SqliteStore):
    for outcome in ("done", "forbidden", "unchanged", "begun", "forbidden", "invalid", "unchanged", "invalid", "done"):
        await apply(store, entities.audit(10.0, "{}", outcome, "", who="ci", action="a", rev=1))
    forget = entities.forget_audit(keep=2, apart=(("forbidden", "invalid"), ("unchanged",)), keep_apart=1, since=0.0)
    assert await apply(store, *forget) is Outcome.COMMITTED
    rows = await store.read(entities.AUDIT, (0, 0, "", "", "", "", "", "", 0.0, 100))
    assert [row["n"] for row in rows] == [9, 8, 7, 4]


@pytest.mark.parametrize(
    ("keep", "since", "left", "floor"),
    [
        (100, 0.0, [1, 1, 2, 3, 3, 4], 0),
        (6, 0.0, [1, 1, 2, 3, 3, 4], 0),
        (5, 0.0, [2, 3, 3, 4], 1),  # never a revision in part
        (2, 0.0, [4], 3),
        (0, 0.0, [], 4),
        (100, 30.0, [3, 3, 4], 2),
        (100, 41.0, [4], 3),  # nobody who has the newest is told to read anew
        (2, 30.0, [4], 3),
    ],
)
async def test_events_are_forgotten_by_count_and_age_in_whole_revisions(store: SqliteStore, keep, since, left, floor):
    for revision, times in enumerate([(10.0, 10.0), (20.0,), (30.0, 30.0), (40.0,)], start=1):
        await happen(store, revision, *times)
    await apply(store, *entities.forget_events(keep=keep, since=since))
    assert (await kept(store), await compacted(store)) == (left, floor)


async def test_the_floor_of_forgotten_events_never_falls(store: SqliteStore):
    await happen(store, 1, 10.0)
    await happen(store, 2, 20.0)
    await apply(store, *entities.forget_events(keep=1, since=0.0))
    await apply(store, *entities.forget_events(keep=100, since=0.0))
    assert await compacted(store) == 1


async def test_requests_are_forgotten_by_revision(store: SqliteStore):
    for revision in (1, 2, 3):
        await happen(store, revision, 10.0)
    await apply(store, entities.forget_requests(before=2))
    rows = await store.read("SELECT rid, rev FROM requests ORDER BY rid")
    assert [(row["rid"], row["rev"]) for row in rows] == [("2", 2), ("3", 3)]
