"""A legion of three: joined by pasted lines, and used as one."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest

from tests.e2e.node import until
from tests.lab.lab import Lab
from tests.lab.machine import Machine
from tests.lab.sightings import sights, slots

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(180)]

REPLICAS = 30
WAITS = """
services:
  db:
    image: busybox
    command: [sleep, "1000"]
    init: true
    healthcheck: {test: [CMD, test, -e, /ready], interval: 1s}
    deploy: {placement: {constraints: [node.hostname == rome-1]}}
  agent:
    image: busybox
    command: [sleep, "1000"]
    init: true
    depends_on: {db: {condition: service_healthy}}
    deploy: {mode: global}
"""


def test_three_machines_are_one_cluster_after_two_pasted_lines(three: Lab, stopwatch):
    rome, second, third = three.machines
    rome.start()
    line = rome.ok("legion", "init")
    for machine in (second, third):
        with stopwatch(f"{machine.name} joined and ready"):
            machine.paste(line)
            until(partial(is_ready, rome, machine), f"{machine.name}, ready")
    roles = {row["name"]: (row["role"], row["address"]) for row in rome.rows("node", "ls")}
    assert roles == {
        "rome-1": ("manager", rome.address),
        "rome-2": ("worker", second.address),
        "rome-3": ("worker", third.address),
    }


def is_ready(manager: Machine, machine: Machine) -> bool:
    return (machine.name, "ready") in [(row["name"], row["status"]) for row in manager.api.nodes()]


def test_a_service_of_thirty_is_spread_over_three_evenly(legion: Lab, service, stopwatch):
    rome = legion.machines[0]
    with stopwatch(f"{REPLICAS} replicas run"):
        rome.bring_up(service(REPLICAS), "shop")
    assert slots(legion.machines) == Counter({f"web.{slot}": 1 for slot in range(1, REPLICAS + 1)})
    assert Counter(sight.machine for sight in sights(legion.machines)) == {"rome-1": 10, "rome-2": 10, "rome-3": 10}
    assert Counter(row["node"] for row in rome.rows("task", "ls")) == {"rome-1": 10, "rome-2": 10, "rome-3": 10}


def test_what_is_everywhere_waits_for_what_is_on_one_machine_and_starts_once_that_is_healthy(legion: Lab):
    rome, second, third = legion.machines
    assert (ended := rome.deploy(WAITS, "shop", "--detach")).code == 0, ended.text

    def agents() -> list[tuple[str, str]]:
        return sorted((row["node"], row["message"]) for row in rome.rows("task", "ls") if row["service"] == "agent")

    machines = [machine.name for machine in legion.machines]
    until(lambda: agents() == [(name, "waits for db to be healthy") for name in machines], "agents that wait")
    assert second.containers() == third.containers() == []
    [node] = [row["node"] for row in rome.rows("task", "ls") if row["name"] == "shop-agent-1"]
    assert f"shop-agent-1: is on {node}, waits for db to be healthy\n" in rome.ok("explain", "shop-agent-1")
    assert "; 3 of 3 tasks: waits for db to be healthy\n" in rome.ok("explain", "shop/agent")
    [database] = until(rome.containers, "a database")
    rome.docker("exec", database["Id"], "touch", "/ready")
    until(lambda: agents() == [(name, "running") for name in machines], "an agent on each machine")
    assert slots(legion.machines) == Counter({"db.1": 1, **{f"agent.{slot}": 1 for slot in (1, 2, 3)}})
