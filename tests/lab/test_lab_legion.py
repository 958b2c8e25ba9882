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
