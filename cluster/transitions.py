"""Which states a task may move between, who moves it, and how an observation becomes part of the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cluster.assignment import Assignment, Observation
from cluster.changed import changed
from cluster.model import Attempt, Task, TaskState

KEPT_ATTEMPTS = 5

# Within one attempt a task only moves forward. The Senate owns the first two rows, the agent all others; `lost` is the
# Senate's word for a task whose machine is gone.
LEGAL: Mapping[TaskState, frozenset[TaskState]] = {
    "pending": frozenset({"assigned", "stopped", "rejected"}),
    "assigned": frozenset({"preparing", "starting", "running", "complete", "failed", "stopped", "rejected", "lost"}),
    "preparing": frozenset({"starting", "running", "complete", "failed", "stopped", "rejected", "lost"}),
    "starting": frozenset({"running", "complete", "failed", "stopped", "rejected", "lost"}),
    "running": frozenset({"complete", "failed", "stopped", "lost"}),
    "complete": frozenset(),
    "failed": frozenset(),
    "stopped": frozenset(),
    "rejected": frozenset(),
    "lost": frozenset(),
}


class IllegalTransition(Exception):
    """A state was skipped back to within one attempt: a fault in gbnt. The text tells the task's story."""

    def __init__(self, task: Task, seen: Observation) -> None:
        past = ", ".join(f"attempt {a.number} {a.reason}" for a in task.past) or "no earlier attempts"
        super().__init__(
            f"task {task.id} ({task.name}) cannot go from {task.state} (attempt {task.attempt}) "
            f"to {seen.state} (attempt {seen.attempt}); its story: {past}"
        )


def legal(task: Task, seen: Observation) -> bool:
    """Whether the observation may follow the record: a later attempt starts afresh, the same one only moves on."""
    if task.ended:
        return seen.state == task.state
    if seen.attempt != task.attempt:
        return seen.attempt > task.attempt
    return seen.state == task.state or seen.state in LEGAL[task.state]


def observe(task: Task, seen: Observation) -> Task:
    """The record with the observation in it; unchanged where that is stale. Raises IllegalTransition."""
    if seen.sequence <= task.sequence:
        return task
    if not legal(task, seen):
        raise IllegalTransition(task, seen)
    moved = (seen.state, seen.attempt) != (task.state, task.attempt)
    return changed(
        task,
        sequence=seen.sequence,
        state=seen.state,
        message=seen.message,
        since=seen.at if moved else task.since,
        ready=seen.ready,
        attempt=seen.attempt,
        crashes=seen.crashes,
        problem=seen.problem,
        restart_at=seen.restart_at,
        health=seen.health,
        container_id=seen.container_id or task.container_id,
        container_name=seen.container_name or task.container_name,
        exit_code=seen.exit_code,
        started_at=seen.started_at,
        ports=seen.ports,
        past=_remember(task.past, seen.ended),
    )


def as_seen(assignment: Assignment, seen: Observation | None) -> Assignment:
    """The assignment with what was seen of its task in the record, where that may follow it."""
    if seen is None or not legal(assignment.task, seen):
        return assignment
    return replace(assignment, task=observe(assignment.task, seen))


def _remember(past: tuple[Attempt, ...], ended: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
    by_number = {attempt.number: attempt for attempt in (*past, *ended)}
    return tuple(by_number[number] for number in sorted(by_number))[-KEPT_ATTEMPTS:]
