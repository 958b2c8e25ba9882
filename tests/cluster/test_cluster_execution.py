"""One task on one machine: the next step from what is wanted and what is seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster import backoff
from cluster.execution import Create, Done, Pull, Remove, Start, Stop, Wait, decide
from cluster.spec import RestartPolicy
from tests.cluster.build import NOW, seen, situation, spec, task


def test_a_new_task_first_has_its_image_then_its_container_then_its_start() -> None:
    assert decide(situation()).step == Pull()
    assert decide(situation(image_ready=True)).step == Create(1)
    assert decide(situation(image_ready=True, seen=seen(phase="created"))).step == Start("c1")


def test_a_task_that_is_to_be_ready_stops_short_of_its_container() -> None:
    verdict = decide(situation(task=task(desired="ready"), image_ready=True))
    assert (verdict.step, verdict.ready) == (Wait(), True)


def test_a_task_with_a_shut_gate_pulls_its_image_and_waits_saying_for_what() -> None:
    assert decide(situation(waiting_for="db to be healthy")).step == Pull()
    verdict = decide(situation(waiting_for="db to be healthy", image_ready=True))
    assert (verdict.step, verdict.message) == (Wait(), "waits for db to be healthy")


def test_a_gate_holds_the_first_start_only_not_a_restart_after_a_crash() -> None:
    crashed = seen(phase="ended", exit_code=1, finished_at=NOW)
    held = situation(waiting_for="db to start", image_ready=True, crashes=1, seen=crashed)
    assert decide(held).step == Create(2)


def test_a_cold_start_waits_for_the_gate_and_does_not_back_off() -> None:
    ended = seen(phase="ended", exit_code=137, finished_at=NOW)
    assert isinstance(decide(situation(seen=ended, image_ready=True, cold=True, waiting_for="db to start")).step, Wait)
    assert decide(situation(seen=ended, image_ready=True, cold=True, crashes=9)).step == Create(2)


def test_running_is_first_reached_when_healthy_where_there_is_a_health_check() -> None:
    assert decide(situation(seen=seen(health="starting"))).state == "starting"
    assert decide(situation(seen=seen(health="healthy"))).state == "running"
    assert decide(situation(seen=seen(health=""))).state == "running"


def test_an_unhealthy_task_stays_running_for_its_grace_then_its_container_is_stopped() -> None:
    ill = seen(health="unhealthy")
    waiting = decide(situation(seen=ill, unhealthy_since=NOW, told_state="running"))
    assert (waiting.step, waiting.state) == (Wait(NOW + 10.0), "running")
    assert decide(situation(seen=ill, unhealthy_since=NOW - 10)).step == Stop("c1", "unhealthy")


def test_the_first_crash_is_repaired_at_once_and_later_ones_after_growing_pauses() -> None:
    crashed = seen(phase="ended", exit_code=137, oom_killed=True, finished_at=NOW)
    assert decide(situation(seen=crashed, crashes=1, image_ready=True)).step == Create(2)
    later = decide(situation(seen=crashed, crashes=5, image_ready=True))
    assert later.step == Wait(NOW + 8.0)
    assert later.message == "restarting in 8 s (exit 137, out of memory)"
    assert (later.state, later.attempt, later.restart_at) == ("preparing", 2, NOW + 8.0)


@pytest.mark.parametrize("jump", [3600.0, 1e9])
def test_a_clock_that_was_set_back_lengthens_no_pause(jump: float) -> None:
    crashed = seen(phase="ended", exit_code=1, finished_at=NOW + jump)
    assert decide(situation(seen=crashed, crashes=5, image_ready=True)).step == Wait(NOW + 8.0)
    assert decide(situation(seen=crashed, crashes=5, image_ready=True, seen_for=6.0)).step == Wait(NOW + 2.0)
    assert decide(situation(seen=crashed, crashes=5, image_ready=True, seen_for=8.0)).step == Create(2)
    ill = seen(health="unhealthy")
    assert decide(situation(seen=ill, unhealthy_since=NOW + jump, seen_for=4.0)).step == Wait(NOW + 6.0)
    assert decide(situation(seen=ill, unhealthy_since=NOW + jump, seen_for=10.0)).step == Stop("c1", "unhealthy")
    well = seen(started_at=NOW + jump)
    assert decide(situation(seen=well, crashes=2, seen_for=20.0)).step == Wait(NOW + 10.0)
    assert decide(situation(seen=well, crashes=2, seen_for=30.0)).crashes == 0


@pytest.mark.parametrize(
    ("policy", "code", "state"),
    [
        (RestartPolicy("none"), 0, "complete"),
        (RestartPolicy("none"), 3, "failed"),
        (RestartPolicy("on-failure"), 0, "complete"),
        (RestartPolicy("on-failure", max_attempts=2), 3, "failed"),
    ],
)
def test_a_task_that_is_not_to_be_restarted_ends(policy: RestartPolicy, code: int, state: str) -> None:
    ended = seen(phase="ended", exit_code=code, finished_at=NOW)
    verdict = decide(situation(spec=spec(restart=policy), seen=ended, crashes=3))
    assert (verdict.step, verdict.state) == (Done(), state)
    assert bool(verdict.problem) == (code != 0)


def test_a_container_stopped_for_being_unhealthy_counts_as_failed_though_it_exits_with_0() -> None:
    ended = seen(phase="ended", exit_code=0, finished_at=NOW)
    of = spec(restart=RestartPolicy("on-failure"))
    assert decide(situation(spec=of, seen=ended, crashes=1, stopping="unhealthy", image_ready=True)).step == Create(2)


def test_a_failed_step_is_said_and_tried_again_when_its_pause_is_over() -> None:
    failed = situation(failure="port 80 is held by nginx", retry_in=4.0, image_ready=True)
    verdict = decide(failed)
    assert verdict.step == Wait(NOW + 4)
    assert verdict.problem == "port 80 is held by nginx"
    assert verdict.message == "port 80 is held by nginx; trying again in 4 s"
    again = situation(failure="port 80 is held by nginx", retry_in=0.0, image_ready=True)
    assert decide(again).step == Create(1)


def test_a_task_stopped_while_it_waits_for_its_next_attempt_ends_with_that_attempt() -> None:
    waiting = task(desired="stop", state="preparing", attempt=6, why="replaced by a newer revision")
    verdict = decide(situation(task=waiting, seen=seen(attempt=5, phase="ended", exit_code=1), told=6))
    assert (verdict.step, verdict.state, verdict.attempt) == (Done(), "stopped", 6)


def test_a_stop_that_failed_is_not_tried_again_before_its_pause_is_over() -> None:
    stopping = task(desired="stop", state="running", why="stopped by hand")
    held = situation(task=stopping, seen=seen(), failure="the engine does not answer", retry_in=1.0)
    assert decide(held).step == Wait(NOW + 1)


def test_stopping_stops_the_container_and_keeps_it_removing_takes_it_away() -> None:
    stopping = task(desired="stop", state="running", why="stopped by hand")
    assert decide(situation(task=stopping, seen=seen())).step == Stop("c1", "stopped by hand")
    ended = decide(situation(task=stopping, seen=seen(phase="ended")))
    assert (ended.step, ended.state) == (Done(), "stopped")
    removing = task(desired="remove", state="running")
    assert decide(situation(task=removing, seen=seen(phase="ended"))).step == Remove()
    assert decide(situation(task=removing)).step == Remove()  # one may be there that nobody heard of
    assert decide(situation(task=removing, cleared=True)).step == Done(removed=True)


def test_a_task_that_completed_stays_complete_when_it_is_put_away() -> None:
    done = task(desired="remove", state="complete")
    assert decide(situation(task=done, seen=seen(phase="ended"), told_state="complete")).state == "complete"


def test_a_task_that_completed_is_not_run_again_because_its_container_is_gone() -> None:
    done = task(state="complete", attempt=2)
    verdict = decide(situation(task=done, told=2, told_state="complete", image_ready=True))
    assert (verdict.step, verdict.state, verdict.attempt) == (Done(), "complete", 2)


@given(crashes=st.integers(0, 10_000), jitter=st.floats(0, 1), first=st.none() | st.floats(0, 1e6))
def test_a_pause_is_never_negative_nor_above_its_cap(crashes: int, jitter: float, first: float | None) -> None:
    assert 0.0 <= backoff.delay(RestartPolicy(delay=first), crashes, jitter) <= backoff.CAP


def test_a_healthy_while_clears_the_record_of_crashes() -> None:
    assert backoff.crashes_after(4, ran_for=1.0) == 5
    assert backoff.crashes_after(4, ran_for=backoff.HEALTHY_WHILE) == 1


def test_a_container_that_may_have_started_after_all_is_not_said_to_have_stopped_before_it_is_gone() -> None:
    made = seen(phase="created")
    for desired in ("stop", "remove"):
        leaving = task(desired=desired, state="preparing", why="replaced by a newer revision")
        verdict = decide(situation(task=leaving, seen=made, told_state="preparing", failure="no answer"))
        assert (isinstance(verdict.step, Remove), verdict.state) == (True, "preparing")
