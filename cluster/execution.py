"""One task on one machine: from what is wanted and what the engine shows to the one next thing to do.

`decide` is asked again after every step and every event. It remembers nothing: a gbnt that was killed at any moment
looks at the engine and goes on from there, which is why no container is made twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from cluster import backoff
from cluster.assignment import Assignment
from cluster.model import ENDED, Health, TaskState
from cluster.spec import RestartPolicy

UNHEALTHY_GRACE = 10.0
HALT = "no manager is heard"

Phase = Literal["none", "created", "running", "ended"]


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest container of a task as the engine shows it. Times are seconds since the epoch."""

    id: str
    name: str
    attempt: int
    phase: Phase
    health: Health = ""
    exit_code: int | None = None
    oom_killed: bool = False
    error: str = ""
    started_at: float = 0.0
    finished_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a decision rests on.

    `seen_for` is for how many seconds the newest container has been as it is, as far as this is known, by a clock that
    nobody sets: where the engine's times are of another time of day, it alone counts. `hopeless` is why what it waits
    for will not come by itself, `held` what has to come before anything is started, `halted` that it may not run on
    before that. `failure` is what stopped the last step, `retry_in` the seconds until it is tried again. `stopping` is
    why the newest container was stopped, `told` the last attempt that was told of and `told_state` its state, `cold`
    that the newest container ended while nobody watched, `cleared` that no container is left to remove.
    """

    assignment: Assignment
    seen: Seen | None
    now: float
    seen_for: float = 0.0
    jitter: float = 0.0
    image_ready: bool = False
    waiting_for: str = ""
    hopeless: str = ""
    held: str = ""
    halted: bool = False
    crashes: int = 0
    failure: str = ""
    retry_in: float = 0.0
    unhealthy_since: float | None = None
    stopping: str = ""
    told: int = 1
    told_state: TaskState = "assigned"
    cold: bool = False
    cleared: bool = False


@dataclass(frozen=True, slots=True)
class Pull:
    """Have the image at hand."""


@dataclass(frozen=True, slots=True)
class Create:
    """Make the container of this attempt."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Start:
    """Start a container that was made."""

    container: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop a running container; `reason` becomes its ended attempt's."""

    container: str
    reason: str


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove one container, or (none named) all of the task."""

    container: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do until something happens, or until `until`."""

    until: float | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing more will ever be done for this task."""

    removed: bool = False


Step = Pull | Create | Start | Stop | Remove | Wait | Done


@dataclass(frozen=True, slots=True)
class Verdict:
    """The next step, and how the task stands for a person while it is taken."""

    step: Step
    state: TaskState
    message: str
    attempt: int
    problem: str = ""
    restart_at: float | None = None
    ready: bool = False
    crashes: int = 0


def decide(situation: Situation) -> Verdict:
    """The one next thing to do for a task. A step that failed is not tried again before its pause is over."""
    verdict = _next(situation)
    if verdict.attempt < situation.told:  # what was told of a later attempt is not taken back
        verdict = replace(verdict, attempt=situation.told)
    if isinstance(verdict.step, Wait | Done) or not situation.failure or situation.retry_in <= 0.0:
        return verdict
    at = situation.now + situation.retry_in
    text = f"{situation.failure}; trying again in {_seconds(situation.retry_in)}"
    waiting = replace(verdict, step=Wait(at), message=text, restart_at=at)
    return replace(waiting, problem=situation.failure)


def _next(situation: Situation) -> Verdict:
    if situation.assignment.task.desired in ("stop", "remove"):
        return _bring_down(situation)
    seen = situation.seen
    if seen is None or seen.phase == "none":
        if situation.told_state in ENDED:  # its container was put away since
            return Verdict(Done(), situation.told_state, situation.assignment.task.message, situation.told)
        return _bring_up(situation, attempt=max(1, situation.assignment.task.attempt))
    if seen.phase == "created":
        return _start(situation, seen)
    if seen.phase == "running":
        return _watch(situation, seen)
    return _after_end(situation, seen)


def end_reason(seen: Seen) -> str:
    """Why a container ended, in words."""
    if seen.oom_killed:
        return f"exit {seen.exit_code}, out of memory"
    if seen.error:
        return f"exit {seen.exit_code}, {seen.error}"
    return f"exit {seen.exit_code}"


def _bring_down(situation: Situation) -> Verdict:
    task, seen = situation.assignment.task, situation.seen
    attempt = seen.attempt if seen else task.attempt
    if seen is not None and seen.phase == "running":
        state = _final(situation) if situation.told_state in ENDED else _state_up(situation, seen)
        return Verdict(Stop(seen.id, task.why), state, f"stopping: {task.why}", attempt, crashes=situation.crashes)
    unsure = seen is not None and seen.phase == "created"
    if task.desired == "remove":
        if not situation.cleared:
            return Verdict(Remove(), _not_yet(situation) if unsure else _final(situation), "removing", attempt)
        return Verdict(Done(removed=True), _final(situation), "removed", attempt)
    if seen is not None and unsure:
        return Verdict(Remove(seen.id), _not_yet(situation), "removing what was never started", attempt)
    return Verdict(Done(), _final(situation), task.why or "stopped", attempt)


def _final(situation: Situation) -> TaskState:
    return situation.told_state if situation.told_state in ENDED else "stopped"


def _not_yet(situation: Situation) -> TaskState:
    """What a task is called whose container was made: it may run after all, for a start that failed may have worked.

    It is not said to have stopped before it is gone, or the next one of its slot would start beside it.
    """
    seen = situation.seen
    again = seen is not None and seen.attempt > situation.told
    return "preparing" if again or situation.told_state == "assigned" else situation.told_state


def _bring_up(situation: Situation, attempt: int) -> Verdict:
    task, spec = situation.assignment.task, situation.assignment.spec
    verdict = partial(Verdict, attempt=attempt, crashes=situation.crashes)
    if not situation.image_ready:
        return verdict(Pull(), "preparing", f"getting image {spec.image}", problem=situation.failure)
    if task.desired == "ready":
        return verdict(Wait(), "preparing", "ready; waits for its predecessor to stop", ready=True)
    if waits := _waits(situation, attempt):
        return verdict(Wait(), "preparing", f"waits for {waits}", ready=True, problem=situation.hopeless)
    return verdict(Create(attempt), "preparing", "making the container", problem=situation.failure, ready=True)


def _waits(situation: Situation, attempt: int) -> str:
    """What a start waits for: gates hold up the first one, and one after an end that nobody watched."""
    if situation.held:
        return situation.held
    return situation.waiting_for if attempt == 1 or situation.cold else ""


def _start(situation: Situation, seen: Seen) -> Verdict:
    verdict = partial(Verdict, attempt=seen.attempt, crashes=situation.crashes, ready=True)
    if waits := _waits(situation, seen.attempt):
        return verdict(Wait(), "preparing", f"waits for {waits}", problem=situation.hopeless)
    return verdict(Start(seen.id), "preparing", "starting the container", problem=situation.failure)


def _watch(situation: Situation, seen: Seen) -> Verdict:
    verdict = partial(Verdict, attempt=seen.attempt, crashes=situation.crashes, ready=True)
    if situation.stopping:
        state = _state_up(situation, seen)
        return verdict(Stop(seen.id, situation.stopping), state, f"stopping: {situation.stopping}")
    if situation.halted:
        return verdict(Stop(seen.id, HALT), _state_up(situation, seen), f"stopping: it waits for {situation.held}")
    if seen.health == "unhealthy":
        since = situation.now if situation.unhealthy_since is None else situation.unhealthy_since
        deadline = _due(situation, since, UNHEALTHY_GRACE)
        state = _state_up(situation, seen)
        if situation.now >= deadline:
            return verdict(Stop(seen.id, "unhealthy"), state, "unhealthy: restarting it", problem="unhealthy")
        text = f"unhealthy: restarts in {_seconds(deadline - situation.now)} unless it recovers"
        return verdict(Wait(deadline), state, text, problem="unhealthy")
    if seen.health == "starting":
        return verdict(Wait(), "starting", "started; waits for its first healthy check")
    # A container that has run a healthy while has cleared its record: look again then, so that the count is told.
    clears = _due(situation, seen.started_at, backoff.HEALTHY_WHILE)
    if situation.crashes and situation.now < clears:
        return verdict(Wait(clears), "running", "healthy" if seen.health else "running")
    return verdict(Wait(), "running", "healthy" if seen.health else "running", crashes=0)


def _state_up(situation: Situation, seen: Seen) -> TaskState:
    """What a running container is called: it has to be healthy once, and from then on health is another matter."""
    was_up = situation.told_state == "running" and situation.told == seen.attempt
    return "running" if was_up or seen.health in ("", "healthy") else "starting"


def _after_end(situation: Situation, seen: Seen) -> Verdict:
    policy, crashes = situation.assignment.spec.restart, 0 if situation.cold else situation.crashes
    failed = seen.exit_code != 0 or bool(situation.stopping)
    why = situation.stopping or end_reason(seen)
    if situation.stopping == HALT:
        return _bring_up(situation, attempt=seen.attempt + 1)
    if not wants_restart(policy, failed, crashes):
        state: TaskState = "failed" if failed else "complete"
        gave_up = failed and policy.condition != "none"
        text = f"{why}; gave up after {_tries(crashes)}" if gave_up else why
        return Verdict(Done(), state, text, seen.attempt, problem=text if failed else "", crashes=crashes)
    pause = backoff.delay(policy, crashes, situation.jitter)
    at = _due(situation, seen.finished_at, pause)
    if situation.now < at:
        text = f"restarting in {_seconds(at - situation.now)} ({why})"
        return Verdict(Wait(at), "preparing", text, seen.attempt + 1, problem=why, restart_at=at, crashes=crashes)
    return _bring_up(situation, attempt=seen.attempt + 1)


def wants_restart(policy: RestartPolicy, failed: bool, crashes: int) -> bool:
    """Whether a task that ended, well or not, is to be tried again after so many crashes in a row."""
    if policy.condition == "none" or (policy.condition == "on-failure" and not failed):
        return False
    return policy.max_attempts is None or policy.max_attempts == 0 or crashes <= policy.max_attempts


def _due(situation: Situation, since: float, span: float) -> float:
    """When so many seconds are over that began at `since`, though the clock were set back meanwhile."""
    return min(since + span, situation.now + span - situation.seen_for)


def _seconds(span: float) -> str:
    return f"{max(1, round(span))} s"


def _tries(count: int) -> str:
    return "1 try" if count == 1 else f"{count} tries"
