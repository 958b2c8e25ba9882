"""How busy tasks and machines are, from two looks at each."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from actors.protocol import Failed, LoadSeen, WantLoad
from cluster.capacity import Disk
from cluster.load import Load, Sample
from portal.api import stats
from portal.api.app import create_api
from tests.portal.build import NODE, NOW, state, task
from tests.portal.driver import get

pytestmark = pytest.mark.anyio

BEGIN = Sample(100.0, 1.0, 700, 5000, 1, 2, 3, 4, 5)


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(stats, "FIRST_SPAN", 0.0)
    monkeypatch.setattr(stats, "SHORTEST", 0.0)


@pytest.fixture
def busy(node):
    """Two tasks on rome, of which the second does not run; oslo is down. Each look is two seconds and one CPU later."""
    there = state(task(1), task(2), task(3, node="oslo-1"), task(4, state="failed"))
    rome = replace(there.nodes[NODE], cpus=4, disk=Disk("/var/lib/docker", 100, 30, unknown=""))
    oslo = replace(rome, id="oslo-1", name="oslo", status="down", message="no beat", disk=Disk())
    node.state = replace(there, nodes={NODE: rome, "oslo-1": oslo})
    node.looks = 0

    def answer(path, message):
        sample = replace(BEGIN, at=BEGIN.at + 2 * node.looks, cpu_seconds=BEGIN.cpu_seconds + node.looks)
        node.looks += 1
        return LoadSeen(Load(0.5, 600, 1000), {"web1-container": sample})

    node.of_nodes[NODE] = answer
    return node


async def one_line(api, query=""):
    answer = await api.get(f"/v1/stats{query}")
    assert answer.status_code == 200
    [line] = answer.text.splitlines()
    return orjson.loads(line)


async def test_a_line_has_all_tasks_that_go_on_and_all_machines(api, busy):
    line = await one_line(api)
    assert line["at"] == NOW
    first, second, away = line["tasks"]
    assert first == {
        "task": "shop-web-1",
        "id": "web1-aaaa",
        "stack": "shop",
        "service": "web",
        "slot": 1,
        "node": "rome",
        "state": "running",
        "unknown": "",
        "cpu_percent": 50.0,
        "memory": 700,
        "memory_limit": 5000,
        "received": 1,
        "sent": 2,
        "read": 3,
        "written": 4,
        "pids": 5,
    }
    assert (second["task"], second["unknown"], second["memory"]) == ("shop-web-2", "its container does not run", None)
    assert (away["task"], away["unknown"], away["cpu_percent"]) == ("shop-web-3", "oslo is down: no beat", None)
    oslo, rome = line["nodes"]
    assert rome == {
        "node": "rome",
        "id": NODE,
        "unknown": "",
        "load": 0.5,
        "cpus": 4,
        "memory": 600,
        "memory_total": 1000,
        "disk_free": 30,
        "disk_total": 100,
    }
    assert (oslo["unknown"], oslo["load"], oslo["disk_free"]) == ("is down: no beat", None, None)
    assert [(node, message) for node, _, message in busy.asked_nodes] == [
        (NODE, WantLoad(("web1-container", "web2-container")))
    ] * 2


@pytest.mark.parametrize(
    ("query", "tasks"),
    [
        ("?stack=shop", 3),
        ("?service=shop/web", 3),
        ("?task=shop-web-1", 1),
        ("?node=rome", 2),
        ("?node=oslo&service=shop/web", 1),
    ],
)
async def test_tasks_are_chosen(api, busy, query, tasks):
    assert len((await one_line(api, query))["tasks"]) == tasks


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("stack=shpo", 404),
        ("service=shop/wb", 404),
        ("task=nobody", 404),
        ("node=gaul", 404),
        ("interval=x", 422),
    ],
)
async def test_what_is_not_there_is_said_before_anything_is_asked(api, busy, query, status):
    assert (await api.get(f"/v1/stats?{query}")).status_code == status
    assert busy.asked_nodes == []


async def test_too_short_an_interval_is_refused(api, busy, monkeypatch):
    monkeypatch.setattr(stats, "SHORTEST", 0.5)
    answer = await api.get("/v1/stats?interval=0.1")
    assert (answer.status_code, "at least 0.5 seconds" in answer.json()["detail"]) == (422, True)


async def test_followed_there_is_a_line_after_the_other_until_the_reader_leaves(busy):
    async with get(create_api(busy.backend()), "/v1/stats?follow=1&interval=0.01") as stream:
        assert [(await stream.line())["tasks"][0]["cpu_percent"] for _ in range(3)] == [50.0, 50.0, 50.0]
    assert busy.looks >= 4


async def test_followed_each_line_is_of_the_cluster_as_it_is_then(busy):
    async with get(create_api(busy.backend()), "/v1/stats?follow=1&interval=0.01") as stream:
        assert (await stream.line())["tasks"]
        busy.state = replace(busy.state, tasks={})
        while (await stream.line())["tasks"]:
            pass  # what was looked at before that


async def test_a_machine_that_cannot_say_is_unknown_with_its_tasks(api, busy):
    busy.of_nodes[NODE] = Failed("does not say: the engine stopped")
    line = await one_line(api)
    assert line["tasks"][0]["unknown"] == "rome does not say: the engine stopped"
    assert line["nodes"][1]["unknown"] == "does not say: the engine stopped"
