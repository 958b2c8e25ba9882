"""What anybody may ask of a node's health."""

from dataclasses import replace
from platform import python_version

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from actors.protocol import GetState
from cluster.presence import PAUSED
from portal.backend import Check
from portal.meters import EARLY
from portal.telemetry import create_telemetry
from supervisor.address import Address
from supervisor.errors import AskTimeout
from tests.portal.build import NODE, actor, state, task

pytestmark = pytest.mark.anyio


async def get(node, path, client=("127.0.0.1", 1), headers=None, **checks):
    async def answer(check):
        return check

    backend = replace(
        node.backend(), checks={name: lambda check=check: answer(check) for name, check in checks.items()}
    )
    transport = httpx.ASGITransport(create_telemetry(backend), client=client)
    async with httpx.AsyncClient(transport=transport, base_url="http://gbnt", headers=headers) as client:
        return await client.get(path)


async def test_a_node_whose_parts_all_answer_is_ready(node):
    answer = await get(node, "/ready", resolver=Check(True, "answers"))
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "ready": True,
        "checks": {
            "senate": {"ok": True, "detail": "answers"},
            "store": {"ok": True, "detail": "takes changes"},
            "engine": {"ok": True, "detail": "ready"},
            "api": {"ok": True, "detail": "listens"},
            "legion": {"ok": True, "detail": "no alarm"},
            "resolver": {"ok": True, "detail": "answers"},
        },
    }


def without_engine(node):
    lost = replace(node.state.nodes[NODE], status="unavailable", message="the Docker Engine does not answer")
    node.state = state(nodes={NODE: lost})
    return "the Docker Engine does not answer"


def without_room(node):
    node.tree[1] = actor("senate", detail={"problem": "no space is left for gbnt.db: free some"})
    return "no space is left for gbnt.db: free some"


def without_api(node):
    node.tree[3] = actor("portal/api", kind="Door", state="restarting")
    return "does not listen: `gbnt actor tree` on this machine says why"


def without_senate(node):
    node.replies[GetState] = AskTimeout(Address(NODE, "senate"), GetState())
    return "does not answer"


ILL = {"engine": without_engine, "store": without_room, "api": without_api, "senate": without_senate}


@pytest.mark.parametrize("part", ILL)
async def test_a_node_without_what_it_is_there_for_is_not_ready_and_lives(node, part):
    words = ILL[part](node)
    answer = await get(node, "/ready")
    assert (answer.status_code, answer.json()["status"], answer.json()["ready"]) == (503, "degraded", False)
    assert answer.json()["checks"][part] == {"ok": False, "detail": words}
    assert ((await get(node, "/health")).status_code, (await get(node, "/health")).json()) == (200, {"status": "ok"})


async def test_a_loss_of_many_machines_is_an_alarm_and_the_api_is_needed_most_then(node):
    node.state = state(settings={PAUSED: "no tasks are replaced: most are gone"})
    answer = await get(node, "/ready")
    assert (answer.status_code, answer.json()["status"], answer.json()["ready"]) == (200, "degraded", True)
    assert answer.json()["checks"]["legion"] == {"ok": False, "detail": "no tasks are replaced: most are gone"}
    assert "gbnt_replacement_paused 1.0" in (await get(node, "/metrics")).text


async def test_a_resolver_that_is_gone_degrades(node):
    answer = await get(node, "/ready", resolver=Check(False, "no answer on 10.9.0.1"))
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")


async def test_a_node_that_has_not_registered_is_starting(node):
    node.state = state(nodes={})
    answer = await get(node, "/ready")
    assert (answer.status_code, answer.json()["status"], answer.json()["ready"]) == (503, "starting", False)


@pytest.mark.parametrize(
    ("client", "headers"),
    [(("192.0.2.7", 1), {}), (("::ffff:192.0.2.7", 1), {}), (("127.0.0.1", 1), {"X-Forwarded-For": "192.0.2.7"})],
)
async def test_why_a_part_is_ill_is_told_to_the_machine_itself_alone(node, client, headers):
    answer = await get(node, "/ready", client, headers, resolver=Check(False, "no answer on 10.9.0.1"))
    assert "10.9.0.1" not in answer.text
    assert answer.json()["checks"]["resolver"] == {
        "ok": False,
        "detail": "is not well: `gbnt health` on that machine says why",
    }
    assert answer.json()["checks"]["engine"] == {"ok": True, "detail": "is well"}


def figures_of(text):
    """The samples of an exposition by name and labels' values."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_metrics_are_what_there_is_at_the_scrape(node):
    node.state = state(task(1), task(2, state="preparing"), task(3, unknown="its machine is down"))
    node.tree = [
        actor("a", kind="TaskActor", restarts=2, mailbox=3),
        actor("b", kind="TaskActor", restarts=1, mailbox=4),
        actor("links/gaul", kind="Link", detail={"health": "suspect"}),
    ]
    node.meters.observe("command", 0.004)
    node.meters.observe("command", 9.0)
    node.meters.observe("request", 0.1, {"method": "GET", "route": "/v1/stacks", "status": "2xx"})
    answer = await get(node, "/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    figures = figures_of(answer.text)
    expected = {
        ("gbnt_nodes", "ready"): 1,
        ("gbnt_nodes", "down"): 0,
        ("gbnt_stacks",): 1,
        ("gbnt_services",): 1,
        ("gbnt_tasks", "running"): 1,
        ("gbnt_tasks", "preparing"): 1,
        ("gbnt_tasks", "unknown"): 1,
        ("gbnt_tasks", "failed"): 0,
        ("gbnt_revision",): 7,
        ("gbnt_replacement_paused",): 0,
        ("gbnt_actors", "TaskActor"): 2,
        ("gbnt_actor_restarts", "TaskActor"): 3,
        ("gbnt_mailbox_depth", "TaskActor"): 7,
        ("gbnt_links", "suspect"): 1,
        ("gbnt_links", "up"): 0,
        ("gbnt_dead_letters_total", "overflow"): 3,
        ("gbnt_build_info", python_version(), "0.1.0"): 1,
        ("gbnt_command_duration_seconds_bucket", "0.0025"): 0,
        ("gbnt_command_duration_seconds_bucket", "0.005"): 1,
        ("gbnt_command_duration_seconds_bucket", "+Inf"): 2,
        ("gbnt_command_duration_seconds_count",): 2,
        ("gbnt_command_duration_seconds_sum",): 9.004,
        ("gbnt_http_request_duration_seconds_count", "GET", "/v1/stacks", "2xx"): 1,
    }
    assert {key: figures.get(key) for key in expected} == expected
    assert figures[("process_open_fds",)] > 0


async def test_metrics_go_on_without_a_senate_and_take_nothing_for_nought(node):
    without_senate(node)
    answer = await get(node, "/metrics")
    assert answer.status_code == 200
    assert "gbnt_actor_restarts" in answer.text
    assert "gbnt_services" not in answer.text


async def test_a_switch_for_what_sends_figures_away_leaves_the_page_of_metrics(node, monkeypatch):
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    page = await get(node, "/metrics")
    assert "gbnt_build_info{" in page.text


async def test_a_duration_on_a_bound_belongs_to_it_before_and_after_the_first_scrape(node):
    for seconds in (1.0, 1.5):
        node.meters.observe("store", seconds)
    assert figures_of((await get(node, "/metrics")).text)["gbnt_store_commit_duration_seconds_bucket", "1.0"] == 1
    node.meters.observe("store", 1.0)
    assert figures_of((await get(node, "/metrics")).text)["gbnt_store_commit_duration_seconds_bucket", "1.0"] == 2


async def test_no_duration_is_lost_while_nobody_scrapes(node):
    for number in range(EARLY + 7):
        node.meters.observe("lag", 0.0)
        if number % 100 == 0:
            await node.meters.settle()
    assert figures_of((await get(node, "/metrics")).text)["gbnt_event_loop_lag_seconds_count",] == EARLY + 7


async def test_telemetry_has_nothing_else(node):
    for path in ("/", "/v1/stacks", "/v1/tokens"):
        assert (await get(node, path)).status_code == 404


async def test_telemetry_shows_no_secret(node):
    for path in ("/health", "/ready", "/metrics"):
        text = (await get(node, path)).text
        assert "secret" not in text
        assert node.state.tokens["admin"].hash not in text
