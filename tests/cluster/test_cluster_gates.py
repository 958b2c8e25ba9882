"""What a task waits for before its first start, and what it would wait for in vain."""

import pytest

from cluster.assignment import Gate, Milestone
from cluster.gates import hopeless, milestone, waiting_for, without_tasks
from cluster.model import Health, Service, TaskState
from tests.cluster.build import service, spec


def seen(state: TaskState = "running", health: Health = "") -> Milestone:
    return milestone(state, health)


STARTED, HEALTHY, DONE = (
    Gate("shop/db", "service_started"),
    Gate("shop/db", "service_healthy"),
    Gate("shop/db", "service_completed_successfully"),
)


@pytest.mark.parametrize(
    ("gate", "one", "waits"),
    [
        (STARTED, seen("preparing"), "db to start"),
        (STARTED, seen("starting"), ""),
        (STARTED, seen("complete"), ""),
        (HEALTHY, seen("starting", "starting"), "db to be healthy"),
        (HEALTHY, seen("running", "unhealthy"), "db to be healthy"),
        (HEALTHY, seen("running"), "db to be healthy"),
        (HEALTHY, seen("running", "healthy"), ""),
        (DONE, seen("running"), "db to complete"),
        (DONE, seen("failed"), "db to complete"),
        (DONE, seen("complete"), ""),
    ],
)
def test_a_gate_opens_by_its_condition(gate: Gate, one: Milestone, waits: str):
    assert waiting_for([gate], {"shop/db": [one]}) == waits


def test_a_gate_whose_service_nobody_saw_is_shut():
    assert waiting_for([STARTED, DONE], {}) == "db to start and db to complete"


def test_of_several_replicas_one_is_enough_to_be_up_and_all_have_to_complete():
    both = {"shop/db": [seen("preparing"), seen("running", "healthy")]}
    assert waiting_for([STARTED, HEALTHY], both) == ""
    half = {"shop/db": [seen("complete"), seen("preparing")]}
    assert waiting_for([STARTED, DONE], half) == "db to complete"


def test_of_what_is_unknown_nothing_is_taken_to_be_up():
    assert milestone("unknown", "healthy") == ""


def test_health_that_nothing_checks_is_waited_for_in_vain():
    said = "db has no health check: give it one, or wait for service_started instead"
    assert hopeless([HEALTHY], {"shop/db": [seen("running")]}) == said


@pytest.mark.parametrize("one", [seen("preparing"), seen("starting", "starting"), seen("running", "unhealthy")])
def test_health_that_may_still_come_is_not(one: Milestone):
    assert hopeless([HEALTHY], {"shop/db": [one]}) == ""


def test_a_gate_that_is_open_is_no_trouble():
    both = [seen("running"), seen("running", "healthy")]
    assert hopeless([HEALTHY], {"shop/db": both}) == ""
    assert hopeless([STARTED], {"shop/db": [seen("running")]}) == ""


@pytest.mark.parametrize(
    ("needed", "why"),
    [
        (service(spec=spec("db"), replicas=0), "db has 0 replicas: scale it up"),
        (service(spec=spec("db"), stopped=True), "db is stopped: start it"),
        (service(spec=spec("db"), removing=True), "db was removed: deploy the stack again"),
        (None, "db was removed: deploy the stack again"),
        (service(spec=spec("db")), ""),
    ],
)
def test_a_service_without_tasks_is_waited_for_in_vain(needed: Service | None, why: str):
    assert without_tasks("db", needed) == why
    gate = Gate("shop/db", "service_started", why)
    assert hopeless([gate], {}) == why
    assert hopeless([gate], {"shop/db": [seen()]}) == ""
