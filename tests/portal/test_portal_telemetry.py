"""What anybody may ask of a node's health."""

from dataclasses import replace

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from actors.protocol import GetState
from cluster.presence import PAUSED
from portal.backend import Check
from portal.latency import Latency
from portal.telemetry import create_telemetry
from supervisor.address import Address
from supervisor.errors import AskTimeout
from tests.portal.build import NODE, actor, state, task

pytestmark = pytest.mark.anyio


async def get(node, path, **checks):
    async def answer(check):
        return check

    backend = replace(
        node.backend(), checks={name: lambda check=check: answer(check) for name, check in checks.items()}
    )
    transport = httpx.ASGITransport(create_telemetry(backend))
    async with httpx.AsyncClient(transport=transport, base_url="http://gbnt") as client:
        return await client.get(path)


async def test_a_node_whose_parts_all_answer_is_ok(node):
    answer = await get(node, "/health", resolver=Check(True, "answers"))
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "checks": {
            "senate": {"ok": True, "detail": "answers"},
            "store": {"ok": True, "detail": "takes changes"},
            "engine": {"ok": True, "detail": "ready"},
            "legion": {"ok": True, "detail": "no alarm"},
            "resolver": {"ok": True, "detail": "answers"},
        },
    }


async def test_an_engine_that_is_gone_is_told_in_words(node):
    lost = replace(node.state.nodes[NODE], status="unavailable", message="the Docker Engine does not answer")
    node.state = state(nodes={NODE: lost})
    answer = await get(node, "/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "degraded")
    assert answer.json()["checks"]["engine"] == {"ok": False, "detail": "the Docker Engine does not answer"}


async def test_a_store_that_refuses_every_change_degrades(node):
    node.tree[1] = actor("senate", detail={"problem": "no space is left for gbnt.db: free some"})
    answer = await get(node, "/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "degraded")
    assert answer.json()["checks"]["store"] == {"ok": False, "detail": "no space is left for gbnt.db: free some"}


async def test_a_loss_of_many_machines_is_an_alarm(node):
    node.state = state(settings={PAUSED: "no tasks are replaced: most are gone"})
    answer = await get(node, "/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "degraded")
    assert answer.json()["checks"]["legion"] == {"ok": False, "detail": "no tasks are replaced: most are gone"}
    assert "gbnt_replacement_paused 1.0" in (await get(node, "/metrics")).text


async def test_a_resolver_that_is_gone_degrades(node):
    answer = await get(node, "/health", resolver=Check(False, "no answer on 10.9.0.1"))
    assert (answer.status_code, answer.json()["status"]) == (503, "degraded")


async def test_a_node_that_has_not_registered_is_starting(node):
    node.state = state(nodes={})
    assert (await get(node, "/health")).json()["status"] == "starting"


async def test_a_senate_that_does_not_answer_is_no_good_health(node):
    node.replies[GetState] = AskTimeout(Address(NODE, "senate"), GetState())
    answer = await get(node, "/health")
    assert answer.status_code == 503
    assert not answer.json()["checks"]["senate"]["ok"]


async def test_metrics_are_what_there_is_at_the_scrape(node):
    node.state = state(task(1), task(2, state="preparing"))
    node.tree = [
        actor("a", kind="TaskActor", restarts=2, mailbox=3),
        actor("b", kind="TaskActor", restarts=1, mailbox=4),
    ]
    node.latencies[0].observe(0.004)
    node.latencies[0].observe(9.0)
    answer = await get(node, "/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    figures = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    expected = {
        ("gbnt_nodes", "ready"): 1,
        ("gbnt_services",): 1,
        ("gbnt_tasks", "running"): 1,
        ("gbnt_tasks", "preparing"): 1,
        ("gbnt_revision",): 7,
        ("gbnt_replacement_paused",): 0,
        ("gbnt_actor_restarts_total", "TaskActor"): 3,
        ("gbnt_mailbox_depth", "TaskActor"): 7,
        ("gbnt_dead_letters_total", "overflow"): 3,
        ("gbnt_command_seconds_bucket", "0.0025"): 0,
        ("gbnt_command_seconds_bucket", "0.005"): 1,
        ("gbnt_command_seconds_bucket", "+Inf"): 2,
        ("gbnt_command_seconds_count",): 2,
    }
    assert {key: figures.get(key) for key in expected} == expected


async def test_metrics_go_on_without_a_senate(node):
    node.replies[GetState] = AskTimeout(Address(NODE, "senate"), GetState())
    answer = await get(node, "/metrics")
    assert answer.status_code == 200
    assert "gbnt_actor_restarts_total" in answer.text


async def test_telemetry_has_nothing_else(node):
    for path in ("/", "/v1/stacks", "/v1/tokens"):
        assert (await get(node, path)).status_code == 404


async def test_telemetry_shows_no_secret(node):
    for path in ("/health", "/metrics"):
        text = (await get(node, path)).text
        assert "secret" not in text
        assert node.state.tokens["admin"].hash not in text


def test_a_latency_on_a_bound_belongs_to_it():
    latency = Latency("x", "", bounds=(1.0, 2.0))
    for seconds in (1.0, 1.5, 2.0, 2.1):
        latency.observe(seconds)
    assert latency.buckets() == [("1.0", 1.0), ("2.0", 3.0), ("+Inf", 4.0)]
    assert latency.total == pytest.approx(6.6)
