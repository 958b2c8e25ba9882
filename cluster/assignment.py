"""What passes between the cluster and one machine: what a task needs to run there, and what was seen of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cluster.model import Attempt, Health, HostPort, Task, TaskState
from cluster.spec import Condition, ServiceSpec

Milestone = Literal["", "started", "unchecked", "healthy", "complete"]
"""How far a task has come for those that wait for it; `unchecked` runs, and nothing checks its health."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A task may start for the first time when `service` (stack/name) has met `condition`.

    `hopeless` is why none of its tasks will, as the manager knows it; empty where one may.
    """

    service: str
    condition: Condition
    hopeless: str = ""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """How far the wanted tasks of `service` (stack/name) have come on all other machines, each milestone once."""

    service: str
    reached: tuple[Milestone, ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """A task that a machine owns, with all that it needs to run it without a manager."""

    task: Task
    spec: ServiceSpec
    gates: tuple[Gate, ...] = ()


@dataclass(frozen=True, slots=True)
class Observation:
    """What a machine saw of a task.

    `sequence` grows with each observation of the task, across restarts of gbnt too, so that an older one is never
    taken for news. `ended` are attempts that ended since the last one; `removed` says that nothing of it is left.
    """

    task: str
    sequence: int
    state: TaskState
    message: str
    at: float
    attempt: int
    ready: bool = False
    crashes: int = 0
    problem: str = ""
    restart_at: float | None = None
    health: Health = ""
    container_id: str = ""
    container_name: str = ""
    exit_code: int | None = None
    started_at: float = 0.0
    ports: tuple[HostPort, ...] = ()
    ended: tuple[Attempt, ...] = ()
    removed: bool = False
