"""Faults on three real engines. After each of them exactly what is wanted runs, and nothing twice."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from tests.e2e.node import until
from tests.lab.lab import Lab
from tests.lab.machine import Machine
from tests.lab.sightings import Sight, sights, slots

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(180)]

REPLICAS = 6
WANTED = Counter({f"web.{slot}": 1 for slot in range(1, REPLICAS + 1)})


@pytest.fixture
def shop(legion: Lab, service) -> Lab:
    """A legion on which a service runs, two replicas on each machine."""
    ended = legion.machines[0].deploy(service(REPLICAS), "shop", "--detach")
    assert ended.code == 0, ended.text
    until(lambda: is_whole(legion), "a service that runs")
    assert Counter(sight.machine for sight in sights(legion.machines)) == {"rome-1": 2, "rome-2": 2, "rome-3": 2}
    return legion


def on(machine: Machine, seen: list[Sight]) -> list[Sight]:
    return [sight for sight in seen if sight.machine == machine.name]


def node(manager: Machine, name: Machine) -> Mapping[str, Any]:
    """What the manager says of a machine."""
    return next(row for row in manager.api.nodes() if row["name"] == name.name)


def is_whole(lab: Lab) -> bool:
    """Whether exactly what is wanted runs, and the manager says so too."""
    api = lab.machines[0].api
    told = Counter(f"web.{row['slot']}" for row in api.tasks(service="shop/web") if row["state"] == "running")
    ready = [row["status"] for row in api.nodes()] == ["ready"] * len(lab.machines)
    return ready and told == WANTED and slots(lab.machines) == WANTED


def test_a_manager_that_was_killed_adopts_everything_and_hears_what_happened_meanwhile(shop):
    rome, second, _ = shop.machines
    before = sights(shop.machines)
    rome.kill9()
    victim = on(second, before)[0]
    second.docker("kill", victim.id)
    until(lambda: slots(shop.machines) == WANTED, "a container that its machine started again without a manager")
    rome.start()
    until(lambda: is_whole(shop), "a whole legion")
    untouched = [sight for sight in before if sight != victim]
    assert [sight for sight in sights(shop.machines) if sight.slot != victim.slot] == untouched
    number = victim.slot.rpartition(".")[2]
    until(lambda: exit_codes(rome, number) == [137], "a report of the container that was killed meanwhile")


def exit_codes(manager: Machine, slot: str) -> list[int]:
    """How the attempts of a slot's task ended, those that are over."""
    tasks = [row for row in manager.rows("service", "ps", "shop/web") if str(row["slot"]) == slot]
    return [attempt["exit_code"] for task in tasks for attempt in task["past"]]


def test_a_worker_that_was_killed_adopts_everything(shop):
    second = shop.machines[1]
    before = sights(shop.machines)
    second.kill9()
    second.start()
    until(lambda: is_whole(shop), "a whole legion")
    assert sights(shop.machines) == before


def test_the_tasks_of_a_worker_that_is_cut_off_are_replaced_and_in_the_end_none_runs_twice(shop, stopwatch):
    rome, second, third = shop.machines
    before = sights(shop.machines)
    with stopwatch("from the cut to the last replacement"):
        shop.cut(third)
        with stopwatch("from the cut until the machine counts as down"):
            until(lambda: node(rome, third)["status"] == "down", "a machine that is down")
        until(lambda: slots([rome, second]) == WANTED, "replacements on the others")
    assert on(third, sights([third])) == on(third, before), "what is cut off goes on"
    shop.heal()
    with stopwatch("from the cut's end to one of each"):
        until(lambda: is_whole(shop), "a whole legion")
    untouched = [sight for sight in before if sight.machine != third.name]
    assert [sight for sight in sights(shop.machines) if sight in before] == untouched


def test_a_worker_that_was_away_too_long_puts_away_what_runs_elsewhere_since(shop):
    rome, second, third = shop.machines
    third.kill9()
    until(lambda: slots([rome, second]) == WANTED, "replacements on the others")
    assert sum(slots([third]).values()) == 2, "nobody stopped what gbnt left"
    third.start()
    until(lambda: is_whole(shop), "a whole legion")


def test_a_worker_that_boots_while_it_is_cut_off_runs_what_it_was_told_last_until_it_hears_better(shop):
    rome, second, third = shop.machines
    shop.cut(third)
    until(lambda: slots([rome, second]) == WANTED, "replacements on the others")
    third.power_off()
    third.power_on()
    third.launch()
    until(lambda: sum(slots([third]).values()) == 2, "its last orders")
    shop.heal()
    until(lambda: is_whole(shop), "a whole legion")


def test_a_manager_whose_machine_lost_its_power_finds_the_workers_as_they_were(shop):
    rome, second, third = shop.machines
    before = sights(shop.machines)
    rome.power_off()
    until(
        lambda: sights([second, third]) == [sight for sight in before if sight.machine != rome.name],
        "workers that go on",
    )
    rome.power_on()
    rome.start()
    until(lambda: is_whole(shop), "a whole legion")
    after = sights(shop.machines)
    assert [sight for sight in after if sight in before] == [sight for sight in before if sight.machine != rome.name]
    assert Counter(sight.machine for sight in after) == {"rome-1": 2, "rome-2": 2, "rome-3": 2}


def test_on_a_bad_line_nothing_is_replaced_and_what_is_wanted_comes_about(shop, service):
    rome, _, third = shop.machines
    before = sights(shop.machines)
    shop.switch.delay(3, 0.1)
    shop.lose(5, third)
    assert (ended := rome.deploy(service(3), "more")).code == 0, ended.text
    assert [sight for sight in sights(shop.machines) if sight in before] == before


def test_an_engine_that_was_killed_gets_its_tasks_back(shop, stopwatch):
    rome, second, _ = shop.machines
    before = sights(shop.machines)
    second.host.end("KILL")
    until(lambda: node(rome, second)["status"] != "ready", "a manager that knows of the engine's end")
    second.host.start()
    with stopwatch("from the engine's return to one of each"):
        until(lambda: is_whole(shop), "a whole legion")
    assert on(rome, sights(shop.machines)) == on(rome, before)


def test_a_machine_that_lost_its_power_is_replaced_and_taken_in_again(shop, stopwatch):
    rome, second, third = shop.machines
    before = sights(shop.machines)
    with stopwatch("from the loss to the last replacement"):
        third.power_off()
        until(lambda: slots([rome, second]) == WANTED, "replacements on the others")
    third.power_on()
    third.launch()
    with stopwatch("from the power's return to one of each"):
        until(lambda: is_whole(shop), "a whole legion")
    untouched = [sight for sight in before if sight.machine != third.name]
    assert [sight for sight in sights(shop.machines) if sight in before] == untouched


def test_when_more_than_half_are_lost_at_once_nothing_is_replaced_and_it_is_said(shop):
    rome, second, third = shop.machines
    before = sights(shop.machines)
    shop.cut(second)
    shop.cut(third)
    alarm = "no tasks are replaced: 2 of 3 machines were lost at once"
    until(lambda: all(alarm in node(rome, one)["message"] for one in (second, third)), "an alarm")
    shop.heal()
    until(lambda: is_whole(shop), "a whole legion")
    assert sights(shop.machines) == before


def test_a_machine_that_comes_and_goes_causes_no_churn(shop):
    rome, _, third = shop.machines
    before, whose = sights(shop.machines), node(rome, third)["id"]
    for _ in range(4):
        shop.cut(third)
        time.sleep(3)  # the fault itself, not a wait for its effect
        assert opinions(rome)[whose] == "suspect"
        time.sleep(1)
        shop.heal()
        time.sleep(4)
    until(lambda: is_whole(shop), "a whole legion")
    assert sights(shop.machines) == before


def opinions(manager: Machine) -> Mapping[str, str]:
    """What the manager makes of each machine's silence."""
    peers = manager.api.actor("control/membership")["detail"]["peers"]
    assert isinstance(peers, dict)
    return peers
