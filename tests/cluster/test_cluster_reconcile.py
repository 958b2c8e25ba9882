"""A service's next steps."""

from __future__ import annotations

from dataclasses import replace

from cluster.model import Service, Task
from cluster.reconcile import KEPT_SECONDS, KEPT_TASKS, AddTask, DesireTask, Reconciled, reconcile
from cluster.spec import UpdatePolicy
from tests.cluster.build import NOW, running, service, spec, task


def decided(of: Service, *tasks: Task) -> Reconciled:
    return reconcile(of, tasks, NOW)


def slots(count: int, **fields: object) -> list[Task]:
    return [running(id=f"t{slot}", slot=slot, **fields) for slot in range(1, count + 1)]


def test_missing_slots_are_filled_at_once_and_a_full_service_is_left_alone() -> None:
    assert [add.slot for add in decided(service(replicas=3)).adds] == [1, 2, 3]
    assert decided(service(replicas=3), *slots(3)).empty


def test_scaling_down_removes_the_highest_slots() -> None:
    steps = decided(service(replicas=1), *slots(3))
    assert {d.task: d.desired for d in steps.desires} == {"t2": "remove", "t3": "remove"}


def test_a_stopped_task_is_replaced_by_one_that_waits_until_it_has_really_stopped() -> None:
    leaving = running(desired="stop")
    assert decided(service(), leaving).adds == (AddTask(1, "ready", "waits for its predecessor"),)
    heir = task(id="t2", desired="ready", created_at=NOW + 1)
    assert decided(service(), leaving, heir).empty
    gone = replace(leaving, state="stopped")
    assert decided(service(), gone, heir).desires == (DesireTask("t2", "run", ""),)


def test_a_stopped_service_stops_its_tasks_and_makes_no_new_ones() -> None:
    steps = decided(service(stopped=True), *slots(2))
    assert not steps.adds
    assert {d.desired for d in steps.desires} == {"stop"}
    assert decided(service(stopped=True), *[replace(t, desired="stop", state="stopped") for t in slots(2)]).empty


def test_the_last_few_ended_tasks_are_kept_for_a_while_and_until_another_has_a_machine() -> None:
    ended = [running(id=f"t{n}", created_at=NOW + n, desired="stop", state="failed") for n in range(1, KEPT_TASKS + 2)]
    long_ago = [replace(one, since=NOW - KEPT_SECONDS - 1) for one in ended]
    heir = running(id="heir", created_at=NOW + 9)

    def forgotten(*tasks: Task) -> list[str]:
        return [step.task for step in decided(service(), *tasks).desires if step.desired == "remove"]

    assert forgotten(*ended, heir) == ["t1"]
    assert forgotten(*long_ago, heir) == [one.id for one in ended]
    assert forgotten(*long_ago, replace(heir, node="", state="pending")) == ["t1"]


def test_a_service_that_is_removed_takes_everything_with_it() -> None:
    old = task(id="t9", desired="stop", state="failed")
    assert {d.desired for d in decided(service(removing=True), *slots(2), old).desires} == {"remove"}


def test_an_update_readies_the_new_task_before_the_old_one_stops_one_slot_at_a_time() -> None:
    new = service(replicas=2, revision="r2")
    first = decided(new, *slots(2))
    assert [(add.slot, add.desired) for add in first.adds] == [(1, "ready")]
    assert first.update == "updating"
    heir = task(id="t3", slot=1, revision="r2", desired="ready", created_at=NOW + 1)
    updating = replace(new, update="updating", update_message="0 of 2 replicas are new")
    assert decided(updating, *slots(2), heir).empty
    ready = replace(heir, ready=True, state="preparing")
    assert [d.task for d in decided(updating, *slots(2), ready).desires] == ["t1"]


def test_the_next_slot_waits_until_the_new_task_serves() -> None:
    updating = service(replicas=2, revision="r2", update="updating", update_message="0 of 2 replicas are new")
    one, two = slots(2)
    gone = replace(one, desired="stop", state="stopped")
    starting = task(id="t3", slot=1, revision="r2", state="starting", ready=True, created_at=NOW + 1)
    assert not decided(updating, gone, two, starting).adds
    serving = replace(starting, state="running")
    assert [add.slot for add in decided(updating, gone, two, serving).adds] == [2]


def test_an_update_is_completed_when_all_slots_serve_the_new_revision() -> None:
    updating = service(replicas=2, revision="r2", update="updating", update_message="1 of 2 replicas are new")
    steps = decided(updating, *slots(2, revision="r2"))
    assert (steps.update, steps.update_message) == ("completed", "all 2 replicas are new")


def test_old_tasks_that_do_not_serve_are_replaced_at_once() -> None:
    broken = [replace(t, state="preparing", problem="exit 1") for t in slots(3)]
    assert [add.slot for add in decided(service(replicas=3, revision="r2"), *broken).adds] == [1, 2, 3]


def test_start_first_runs_the_new_task_beside_the_old_one() -> None:
    of = spec(update=UpdatePolicy(order="start-first"))
    new = service(spec=of, revision="r2")
    assert decided(new, running()).adds[0].desired == "run"
    updating = replace(new, update="updating", update_message="0 of 1 replicas are new")
    heir = task(id="t2", revision="r2", state="starting", ready=True, created_at=NOW + 1)
    assert decided(updating, running(), heir).empty
    assert [d.task for d in decided(updating, running(), replace(heir, state="running")).desires] == ["t1"]


def test_a_forced_restart_replaces_tasks_of_the_same_revision() -> None:
    assert [add.slot for add in decided(service(generation=1), running()).adds] == [1]


def test_history_is_kept_for_a_while_and_up_to_a_number() -> None:
    old = [task(id=f"h{n}", desired="stop", state="stopped", created_at=NOW - 100 + n) for n in range(7)]
    assert {d.task for d in decided(service(), *old, running(id="now")).desires} == {"h0", "h1"}
    ancient = task(id="h0", desired="stop", state="stopped", since=NOW - 8 * 24 * 3600)
    assert {d.task for d in decided(service(), ancient, running(id="now")).desires} == {"h0"}


def test_a_pending_task_is_asked_for_again() -> None:
    assert [add.slot for add in decided(service(), task(state="pending", node="")).adds] == [1]
