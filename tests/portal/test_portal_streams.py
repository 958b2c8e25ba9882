"""Streams of lines: progress of a deploy, events, logs, builds."""

from contextlib import aclosing, nullcontext
from dataclasses import replace

import anyio
import anyio.lowlevel
import orjson
import pytest

from actors.protocol import Committed, Events, GetEvents, GetState, Progress, Refused
from cluster import progress
from cluster.model import State
from cluster.progress import SETTLING
from portal.api import tail
from portal.api.app import create_api
from portal.api.log_reader import LogQuery, Reader
from portal.backend import EngineFailed, TooSlow, Unreached
from supervisor.address import Address
from supervisor.errors import NoSuchActor
from tests.portal.build import NODE, NOW, FakeNode, Said, attempt, bearer, commit, event, state, task
from tests.portal.driver import get

pytestmark = pytest.mark.anyio


@pytest.fixture
def app(node):
    return create_api(node.backend())


# -- progress --------------------------------------------------------------------------------------------------------


async def test_progress_shows_each_change_and_ends_with_the_verdict(app, node):
    async with get(app, "/v1/stacks/shop/progress?after=7") as stream:
        preparing = task(2, state="preparing", message="getting image web:1")
        node.tell(Committed(state(task(1), preparing, revision=7)))
        first = await stream.line()
        assert (first["type"], first["revision"]) == ("tasks", 7)
        assert [(row["name"], row["state"]) for row in first["tasks"]] == [
            ("shop-web-1", "running"),
            ("shop-web-2", "preparing"),
        ]
        assert all("progress" not in row for row in first["tasks"])

        node.tell(Progress(preparing.id, "pulling", 0.42))
        assert (await stream.line())["tasks"][1]["progress"] == {"message": "pulling", "fraction": 0.42}

        node.tell(Committed(state(task(1), task(2), revision=9)))
        second, last = await stream.rest()
        assert "progress" not in second["tasks"][1]
        assert (last["type"], last["verdict"], last["task"], last["logs"]) == ("verdict", "converged", None, [])


async def test_progress_looks_at_nothing_before_its_revision(app, node):
    async with get(app, "/v1/stacks/shop/progress?after=9") as stream:
        node.tell(Committed(state(revision=8)), Committed(state(task(1), revision=9)), Committed(state(revision=10)))
        assert [line.get("revision") for line in await stream.rest()] == [9, 10, None]


async def test_progress_is_silent_about_changes_elsewhere(app, node):
    waiting = task(2, state="starting")
    async with get(app, "/v1/stacks/shop/progress") as stream:
        other = replace(task(1), id="other", stack="other")
        node.tell(
            Committed(state(task(1), waiting)),
            Committed(state(task(1), waiting, other, revision=8)),
            Progress("other", "pulling", 0.1),
            Committed(state(revision=9)),
        )
        assert [line.get("revision") for line in await stream.rest()] == [7, 9, None]


async def test_a_failed_deploy_ends_with_the_reason_and_the_last_words(app, node):
    failing = task(
        2, state="preparing", crashes=2, problem="exit 1", container_id="c3", past=(attempt(1, "c1"), attempt(2, "c2"))
    )
    node.output["c2"] = [Said("2024-01-01T00:00:00Z", "no such table: users", "stderr")]
    async with get(app, "/v1/stacks/shop/progress") as stream:
        node.tell(Committed(state(task(1), failing)))
        last = (await stream.rest())[-1]
    assert (last["verdict"], last["task"]) == ("failed", failing.id)
    assert last["reason"] == "web.2: keeps failing: exit 1"
    assert [line["text"] for line in last["logs"]] == ["no such table: users"]
    assert node.read == [("c2", False, 20, 0.0)]


async def test_a_verdict_does_without_last_words_that_are_not_to_be_had(app, node):
    failing = task(1, state="failed", message="exit 1")
    node.output["web1-container"] = EngineFailed("no such container")
    async with get(app, "/v1/stacks/shop/progress") as stream:
        node.tell(Committed(state(failing, task(2))))
        last = (await stream.rest())[-1]
    assert (last["verdict"], last["logs"]) == ("failed", [])


async def test_progress_of_a_removal_ends_when_the_stack_is_gone(app, node):
    stack = node.state.stacks["shop"]
    async with get(app, "/v1/stacks/shop/progress") as stream:
        node.tell(Committed(state(stacks={"shop": replace(stack, removing=True)})))
        node.tell(Committed(state(revision=9, stacks={}, services={})))
        last = (await stream.rest())[-1]
    assert last["verdict"] == "removed"


async def test_what_was_started_again_meanwhile_is_not_believed_at_once(app, node):
    # It falls over after a moment, each time. All moments are short: the clock is moved by who is asked.
    moment = 0.01
    first, second = (state(task(1, health="", started_at=node.now + moment * n - SETTLING), task(2)) for n in (1, 2))
    later = iter([second, state(task(1, state="preparing", crashes=2, problem="exit 3"), task(2))])

    def answer(_: object) -> State:
        if not node.following:
            return first  # to the doorkeeper
        node.now += moment
        return next(later)

    node.replies[GetState] = answer
    async with get(app, "/v1/stacks/shop/progress") as stream:
        node.tell(Committed(first))
        last = (await stream.rest())[-1]
    assert (last["verdict"], last["reason"]) == ("failed", "web.1: keeps failing: exit 3")


async def test_a_line_says_why_a_stack_that_runs_is_watched_and_for_how_long(app, node, monkeypatch):
    monkeypatch.setattr(progress, "SETTLING", 0.02)
    node.state = state(task(1, health="", started_at=node.now), task(2))
    async with get(app, "/v1/stacks/shop/progress") as stream:
        node.tell(Committed(node.state))
        plain, watched, seen, last = await stream.rest()
    assert [line["watched"] for line in (plain, watched, seen)] == [
        "",
        "watched for 0.02 s, since web has no health check",
        "",
    ]
    assert last["verdict"] == "converged"


async def test_a_senate_that_begins_again_meanwhile_ends_no_deploy(app, node, monkeypatch):
    monkeypatch.setattr(progress, "SETTLING", 0.02)
    young = state(task(1, health="", started_at=node.now), task(2))

    def answer(_: object) -> State:
        if node.following:
            raise NoSuchActor(Address(NODE, "senate"))
        return young  # to the doorkeeper

    node.replies[GetState] = answer
    async with get(app, "/v1/stacks/shop/progress") as stream:
        node.tell(Committed(young))
        assert (await stream.rest())[-1]["verdict"] == "converged"


async def test_a_start_from_before_the_clock_was_set_back_is_believed_after_the_usual_time(app, node, monkeypatch):
    monkeypatch.setattr(progress, "SETTLING", 0.02)
    node.state = state(task(1, health="", started_at=node.now + 3600.0), task(2))
    async with get(app, "/v1/stacks/shop/progress") as stream:
        node.tell(Committed(node.state))
        with anyio.fail_after(5.0):
            assert (await stream.rest())[-1]["verdict"] == "converged"


async def test_a_state_that_is_refused_ends_the_stream_with_the_senate_s_own_words(app, node, monkeypatch):
    monkeypatch.setattr(progress, "SETTLING", 0.02)
    started = state(task(1, health="", started_at=node.now), task(2))

    def answer(_: object) -> object:
        if not node.following:
            return started  # to the doorkeeper
        return Refused("unavailable", "the senate has no state yet")

    node.replies[GetState] = answer
    async with get(app, "/v1/stacks/shop/progress") as stream:
        node.tell(Committed(started))
        last = (await stream.rest())[-1]
    assert last == {"error": "the senate has no state yet", "code": "unavailable"}


async def test_progress_of_a_removal_says_what_keeps_the_stack_from_being_gone(app, node):
    removing = {"shop": replace(node.state.stacks["shop"], removing=True)}
    [rome] = node.state.nodes.values()
    stuck = replace(rome, stuck={"shop_default": "network shop_default is used by foreign"})
    async with get(app, "/v1/stacks/shop/progress") as stream:
        node.tell(Committed(state(task(desired="remove"), stacks=removing, nodes={NODE: stuck})))
        gone = replace(state(revision=8, stacks=removing, nodes={NODE: stuck}), services={}, tasks={})
        node.tell(Committed(gone), Committed(replace(gone, revision=9)))
        line = await stream.line()
        assert (line["revision"], line["tasks"]) == (8, [])
        assert line["problem"] == "on rome, network shop_default is used by foreign"
        node.tell(Committed(replace(gone, revision=10, nodes={NODE: rome})))
        assert (await stream.line())["problem"] == ""
        node.tell(Committed(replace(gone, revision=11, stacks={})))
        assert [line["type"] for line in await stream.rest()] == ["verdict"]


async def test_a_manager_that_stops_telling_is_an_error_and_no_verdict(app, node):
    async with get(app, "/v1/stacks/shop/progress") as stream:
        node.told.close()
        [last] = await stream.rest()
    assert last["code"] == "unavailable"


# -- events ----------------------------------------------------------------------------------------------------------


async def test_events_are_listed_in_order(api, node):
    body = (await api.get("/v1/events", params={"after": 4, "limit": 50})).json()
    assert [(row["revision"], row["number"]) for row in body["items"]] == [(5, 1), (6, 1), (6, 2)]
    assert body["revision"] == 7, "the cluster's own"
    assert node.commands() == [GetEvents(4, 50)]


async def test_events_before_those_that_are_kept_are_gone(api, node):
    node.state, node.events = state(revision=90), Events((event(90),), compacted=80)
    answer = await api.get("/v1/events?after=12")
    assert answer.status_code == 410
    assert "80" in answer.json()["detail"]


@pytest.mark.parametrize("place", ["8", "999999", "8.1"])
async def test_a_place_that_is_yet_to_come_is_refused(api, place):
    for answer in (
        await api.get(f"/v1/events?after={place}"),
        await api.get("/v1/events", headers={"last-event-id": place}),
    ):
        assert (answer.status_code, "revision 7" in answer.json()["detail"]) == (422, True)
    assert (await api.get("/v1/events?after=7")).status_code == 200


async def test_a_stream_ends_rather_than_leave_out_what_was_forgotten_while_it_read(app, node):
    first, second = Events((event(5),), compacted=2), Events((event(7),), compacted=6)
    pages = iter((first, first, second))
    node.replies[GetEvents] = lambda message: next(pages)
    async with get(app, "/v1/events?follow=1&after=4") as stream:
        assert (await stream.line())["revision"] == 5
        assert (await stream.line())["code"] == "gone"


async def test_a_stream_ends_where_the_next_senate_has_forgotten_what_it_was_not_told(app, node):
    async with get(app, "/v1/events?follow=1&after=4") as stream:
        lines = [await stream.line() for _ in range(3)]
        node.events = Events((event(9),), compacted=8)
        node.tell(Committed(state(revision=9, epoch=4)))
        assert [line["revision"] for line in lines] == [5, 6, 6]
        assert (await stream.line())["code"] == "gone"


async def test_following_events_tells_each_once_and_loses_none(app, node):
    async with get(app, "/v1/events?follow=1&after=4") as stream:
        node.tell(
            Committed(state(revision=5), ()),
            Committed(state(revision=6), (event(6, 1), event(6, 2))),
            Committed(state(revision=7), (event(7, 1),)),
        )
        lines = [await stream.line() for _ in range(4)]
        assert [(line["revision"], line["number"]) for line in lines] == [(5, 1), (6, 1), (6, 2), (7, 1)]
        stream.leave()
        assert await stream.rest() == []


async def test_what_a_senate_committed_and_did_not_live_to_tell_is_told_by_the_next_one(app, node):
    def gone_by(message: GetEvents) -> Events:
        return Events(tuple(one for one in node.events.events if one.revision > message.after), compacted=2)

    node.replies[GetEvents] = gone_by
    async with get(app, "/v1/events?follow=1&after=4") as stream:
        node.tell(Committed(state(revision=6)), Committed(state(revision=7), (event(7),)))
        lines = [await stream.line() for _ in range(4)]
        node.events = Events((*node.events.events, event(7), event(8, 1), event(8, 2), event(10)), compacted=2)
        node.tell(
            Committed(state(revision=8, epoch=4)),  # the next one's first word
            Committed(state(revision=9, epoch=4)),
            Committed(state(revision=10, epoch=4), (event(10),)),
            Committed(state(revision=12, epoch=4), (event(12),)),  # one was lost on the way
        )
        node.events = Events((*node.events.events, event(11), event(12)), compacted=2)
        lines += [await stream.line() for _ in range(5)]
        told = [(line["revision"], line["number"]) for line in lines]
        assert told == [(5, 1), (6, 1), (6, 2), (7, 1), (8, 1), (8, 2), (10, 1), (11, 1), (12, 1)]
        stream.leave()
        assert await stream.rest() == []


MIXED = (
    *(replace(event(6, number), kind=kind) for number, kind in enumerate(("user.created", "join_token.issued"))),
    event(6, 2),
    replace(event(7), kind="token.revoked"),
    event(8),
)
SHOWN = {"viewer": [(6, 2), (8, 1)], "operator": [(6, 2), (8, 1)], "admin": [(6, 0), (6, 1), (6, 2), (7, 1), (8, 1)]}


@pytest.mark.parametrize("role", SHOWN)
async def test_events_of_users_and_tokens_are_listed_for_admins_alone(api, node, role):
    node.events = Events(MIXED, compacted=2)
    for query in ("?after=4", ""):
        items = (await api.get(f"/v1/events{query}", headers=bearer(role))).json()["items"]
        assert [(row["revision"], row["number"]) for row in items] == SHOWN[role]


@pytest.mark.parametrize("role", SHOWN)
async def test_events_of_users_and_tokens_are_told_to_admins_alone(app, node, role):
    node.events = Events(MIXED[:3], compacted=2)
    async with get(app, "/v1/events?follow=1&after=4", bearer(role)) as stream:
        committed = (Committed(state(revision=one.revision), (one,)) for one in MIXED[3:])
        node.tell(Committed(state(revision=6)), *committed)
        lines = [await stream.line() for _ in SHOWN[role]]
        assert [(line["revision"], line["number"]) for line in lines] == SHOWN[role]
        stream.leave()
        assert await stream.rest() == []


async def test_a_commit_without_events_is_no_gap(app, node):
    async with get(app, "/v1/events?follow=1") as stream:
        node.tell(*(Committed(state(revision=number)) for number in range(6, 50)))
        node.tell(Committed(state(revision=50), (event(50),)))
        lines = [await stream.line() for _ in range(4)]
        assert lines[-1]["revision"] == 50
    assert node.commands() == [GetEvents(0, 1000)] * 2


async def test_following_from_now_on_tells_nothing_that_was_before(app, node):
    async with get(app, "/v1/events?follow=1&limit=0") as stream:
        node.tell(Committed(state(revision=6)))
        node.tell(Committed(state(revision=6, epoch=4)), Committed(state(revision=7, epoch=4), (event(7),)))
        assert (await stream.line())["revision"] == 7
    assert node.commands() == [GetEvents(0, 0)] * 2


async def test_a_reader_that_is_too_slow_is_told_so_last(node):
    async def told_too_much():
        yield commit(state(), event(9))
        raise TooSlow

    class Slow(FakeNode):
        def follow(self):
            return nullcontext(told_too_much())

    slow = Slow(state(revision=8))
    slow.events = Events((event(8, 2), event(8, 3)), compacted=2)
    async with get(create_api(slow.backend()), "/v1/events?follow=1&after=8.1") as stream:
        lines = await stream.rest()
    slow.close()
    assert [line.get("revision") for line in lines[:-1]] == [8, 8, 9]
    assert "more slowly" in lines[-1]["error"]


# -- logs ------------------------------------------------------------------------------------------------------------


async def test_a_service_s_logs_are_merged_by_time(api, node):
    node.output = {
        "web1-container": [Said("2024-01-01T00:00:00.1Z", "a"), Said("2024-01-01T00:00:03Z", "d")],
        "web2-container": [Said("2024-01-01T00:00:00.15Z", "b", "stderr"), Said("2024-01-01T00:00:02.999Z", "c")],
    }
    answer = await api.get("/v1/services/shop/web/logs?tail=10&since=5")
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [_parsed(line) for line in answer.text.splitlines()]
    assert [(line["text"], line["task"]) for line in lines] == [
        ("a", "shop-web-1"),
        ("b", "shop-web-2"),
        ("c", "shop-web-2"),
        ("d", "shop-web-1"),
    ]
    assert lines[1] == {
        "task": "shop-web-2",
        "task_id": "web2-aaaa",
        "at": "2024-01-01T00:00:00.15Z",
        "stream": "stderr",
        "text": "b",
    }
    assert node.read == [("web1-container", False, 10, 5.0), ("web2-container", False, 10, 5.0)]


async def test_the_last_lines_before_an_end_are_counted_from_that_end(api, node):
    node.output = {
        "web1-container": [Said(f"2024-01-01T00:00:0{second}.5Z", str(second)) for second in range(6)],
        "web2-container": [],
    }
    answer = await api.get("/v1/services/shop/web/logs", params={"tail": 2, "until": "1704067204"})
    assert [orjson.loads(line)["text"] for line in answer.text.splitlines()] == ["2", "3"]
    assert {tail for _, _, tail, _ in node.read} == {None}
    assert (await api.get("/v1/services/shop/web/logs?until=9e18")).status_code == 200
    assert (await api.get("/v1/services/shop/web/logs?until=5&follow=1")).status_code == 422


async def test_without_a_tail_the_lines_before_an_end_are_told_as_they_are_read(node):
    node.output["web1-container"] = [Said(f"2024-01-01T00:00:0{second}.5Z", str(second)) for second in range(6)]
    reader = Reader(node.backend(), LogQuery(until=1704067204))
    async with aclosing(reader.read(task(1), "web1-container", None, 0.0)) as batches:
        assert [[line.text for line in lines] async for lines in batches] == [["0"], ["1"], ["2"], ["3"], []]


@pytest.mark.parametrize(
    ("of", "tail", "status"),
    [
        ("services/shop/web", 50_001, 422),
        ("services/shop/web", 50_000, 200),
        ("tasks/web1", 100_001, 422),
        ("tasks/web1", 100_000, 200),
    ],
)
async def test_so_many_lines_before_an_end_are_kept_and_no_more(api, of, tail, status):
    answer = await api.get(f"/v1/{of}/logs?until=5&tail={tail}")
    assert answer.status_code == status, answer.text
    assert (await api.get(f"/v1/{of}/logs?tail={tail}")).status_code == 200


async def test_logs_of_one_task_are_its_own(api, node):
    node.output["web2-container"] = [Said("2024-01-01T00:00:00Z", "hello")]
    lines = (await api.get("/v1/tasks/web2/logs")).text.splitlines()
    assert [_parsed(line)["text"] for line in lines] == ["hello"]


async def test_previous_logs_are_those_of_the_last_container_that_ended(api, node):
    node.state = state(task(1, past=(attempt(1, "c1"), attempt(2, "c2"))), task(2))
    node.output["c2"] = [Said("2024-01-01T00:00:00Z", "dying")]
    lines = (await api.get("/v1/tasks/web1/logs?previous=1")).text.splitlines()
    assert [_parsed(line)["text"] for line in lines] == ["dying"]
    assert (await api.get("/v1/tasks/web2/logs?previous=1")).status_code == 404


async def test_previous_of_a_task_that_ended_is_its_own_container(api, node):
    node.state = state(task(1, state="failed", past=(attempt(1, "c1"),)), task(2))
    await api.get("/v1/tasks/web1/logs?previous=1")
    assert node.read[0][0] == "web1-container"


async def test_previous_of_a_service_is_what_ended_last_in_each_slot_whichever_task_it_was_of(api, node):
    replaced = task(1, id="web1-old", state="stopped", desired="stop", created_at=NOW - 90, since=NOW - 61)
    older = replace(replaced, id="web1-older", container_id="older", created_at=NOW - 95, since=NOW - 91)
    node.state = state(
        replace(older, past=(attempt(1, "older"),)),
        replace(replaced, container_id="replaced", past=(replace(attempt(1, "replaced"), ended_at=NOW - 20),)),
        task(1),
        replace(replaced, id="web2-old", slot=2, container_id="gone-before"),
        task(2, attempt=2, past=(attempt(1, "crashed"),)),
        task(3, attempt=3, past=(attempt(1, "kept"), replace(attempt(2, "removed"), ended_at=0.0))),
    )
    node.output["replaced"] = [Said("2024-01-01T00:00:00Z", "goodbye")]
    lines = (await api.get("/v1/services/shop/web/logs?previous=1")).text.splitlines()
    assert [(_parsed(line)["text"], _parsed(line)["task_id"]) for line in lines] == [("goodbye", "web1-old")]
    assert [container for container, *_ in node.read] == ["replaced", "crashed", "kept"]


async def test_one_container_that_cannot_be_read_is_told_of_after_the_others(api, node):
    node.output = {
        "web1-container": EngineFailed("the container is gone"),
        "web2-container": [Said("2024-01-01T00:00:00Z", "hello")],
    }
    lines = [_parsed(line) for line in (await api.get("/v1/services/shop/web/logs")).text.splitlines()]
    assert lines[0]["text"] == "hello"
    assert lines[1] == {"error": "the container is gone", "code": "conflict"}


async def test_following_logs_goes_on_with_the_containers_that_come_later(app, node):
    node.output = {
        "web1-container": [Said("2024-01-01T00:00:01Z", "old")],
        "later": [Said("2024-01-01T00:00:09Z", "new")],
    }
    async with get(app, "/v1/services/shop/web/logs?follow=1&tail=5") as stream:
        node.tell(Committed(state(task(1))))
        assert (await stream.line())["text"] == "old"
        node.tell(Committed(state(task(1))), Committed(state(task(1, container_id="later", attempt=2))))
        assert (await stream.line())["text"] == "new"
        stream.leave()
        assert await stream.rest() == []
    assert node.read == [("web1-container", True, 5, 0.0), ("later", True, None, 0.0)]


async def test_following_a_task_ends_with_it(app, node):
    node.output["web1-container"] = [Said("2024-01-01T00:00:01Z", "bye")]
    async with get(app, "/v1/tasks/web1/logs?follow=1") as stream:
        node.tell(Committed(state(task(1))), Committed(state(task(1, state="stopped", desired="stop"))))
        assert [line["text"] for line in await stream.rest()] == ["bye"]


async def test_following_a_service_ends_when_it_is_removed(app, node):
    async with get(app, "/v1/services/shop/web/logs?follow=1") as stream:
        node.tell(Committed(state()), Committed(replace(state(), services={}, tasks={})))
        assert await stream.rest() == []


async def test_what_was_out_of_reach_is_read_on_from_where_it_was(app, node, monkeypatch):
    monkeypatch.setattr(tail, "AGAIN_SECONDS", 0.0)
    one, two, three = (Said(f"2024-01-01T00:00:0{number}.123456789Z", f"{number}") for number in (1, 2, 3))
    node.breaks["web1-container"] = [one, two, Unreached("the machine of task shop-web-1 does not answer")]
    node.output["web1-container"] = [one, two, three]
    async with get(app, "/v1/tasks/web1/logs?follow=1&tail=2") as stream:
        node.tell(Committed(state(task(1))))
        lines = [await stream.line() for _ in range(4)]
    assert sorted(line["text"] for line in lines if line["stream"] == "stdout") == ["1", "2", "3"]
    [note] = [line for line in lines if line["stream"] == "note"]
    assert note["text"] == "the machine of task shop-web-1 does not answer; it is read on when that is over"
    [(*_, first, _), (*_, second, since)] = node.read
    assert (first, second, since) == (2, None, pytest.approx(1704067202.1134567, abs=1e-5))


async def test_what_stays_out_of_reach_is_told_once_and_is_the_last_word_when_the_task_is_over(app, node, monkeypatch):
    monkeypatch.setattr(tail, "AGAIN_SECONDS", 0.0)
    node.output["web1-container"] = Unreached("no way leads there")
    async with get(app, "/v1/tasks/web1/logs?follow=1") as stream:
        node.tell(Committed(state(task(1))))
        assert (await stream.line())["stream"] == "note"
        while len(node.read) < 5:
            await anyio.lowlevel.checkpoint()
        node.tell(Committed(state(task(1, state="lost", desired="stop"))))
        assert await stream.rest() == [{"error": "no way leads there", "code": "conflict"}]


# -- builds ----------------------------------------------------------------------------------------------------------


async def test_a_build_streams_its_context_and_ends_with_the_image(api, node):
    async def context():
        yield b"tar"
        yield b"ball"

    answer = await api.post("/v1/builds?tag=web:1&dockerfile=D&nocache=1&target=", content=context())
    assert [_parsed(line) for line in answer.text.splitlines()] == [
        {"line": "Step 1/1 : FROM scratch"},
        {"image_id": "sha256:web:1", "node": NODE},
    ]
    assert node.built == [(b"tarball", "web:1", {"dockerfile": "D", "nocache": "1"})]


async def test_a_build_that_fails_ends_with_the_error(api, node):
    node.build_fails = "step 1 failed: no such file"
    answer = await api.post("/v1/builds?tag=web:1", content=b"tar")
    assert _parsed(answer.text.splitlines()[-1]) == {
        "error": "step 1 failed: no such file",
        "code": "conflict",
    }


def _parsed(line):
    return orjson.loads(line)
