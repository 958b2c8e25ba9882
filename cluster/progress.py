"""Whether a deploy has come to its end: everything runs, or one task tells why it cannot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from cluster.model import NodeStatus, Service, State, Task
from cluster.moves import WANTED, emptied
from cluster.reconcile import is_current

GIVES_UP_AFTER = 2
NAMED = 3
SETTLING = 5.0
AWAY: Mapping[NodeStatus, str] = {"down": "which is down", "unavailable": "whose engine does not answer"}


@dataclass(frozen=True, slots=True)
class Waiting:
    """Still on its way; `reason` says to where."""

    reason: str


@dataclass(frozen=True, slots=True)
class Converged:
    """Everything that is wanted runs, and nothing older is left."""

    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """It will not come to a good end by itself. `task` is the id of the one to look at, where there is one."""

    reason: str
    task: str | None = None


@dataclass(frozen=True, slots=True)
class Removed:
    """The stack is gone."""

    reason: str


Verdict = Waiting | Converged | Failed | Removed


def verdict(state: State, stack: str) -> Verdict:
    """How far a stack is. A failure outweighs what still waits, for that often waits for what failed."""
    known = state.stacks.get(stack)
    if known is None:
        return Removed(f"stack {stack} is gone")
    if known.removing:
        return Waiting(obstacle(state, stack) or f"stack {stack} is being removed")
    verdicts = [of_service(state, service) for service in state.services_of(stack)]
    for kind in (Failed, Waiting):
        found = next((one for one in verdicts if isinstance(one, kind)), None)
        if found is not None:
            return found
    return Converged(f"stack {stack} runs as wanted")


def obstacle(state: State, stack: str) -> str:
    """What keeps a stack from being gone, in words; empty for one that is on its way, or is not to go.

    While tasks are left they may well use what is to go after them, and what matters is who puts them away.
    """
    known = state.stacks.get(stack)
    if known is None or not known.removing:
        return ""
    if state.services_of(stack):
        return _out_of_reach(state, stack)
    doomed = {network.name for network in known.spec.networks.values()} | set(known.remove_volumes)
    return "; ".join(
        f"on {node.name}, {why}" for node in state.nodes.values() for name, why in node.stuck.items() if name in doomed
    )


def _out_of_reach(state: State, stack: str) -> str:
    """The tasks that nobody puts away before their machine is back."""
    left: defaultdict[str, list[str]] = defaultdict(list)
    for task in state.tasks.values():
        if task.stack == stack and task.desired == "remove" and task.node in state.nodes:
            left[task.node].append(task.name)
    away = [(node, AWAY[node.status]) for node in state.nodes.values() if node.id in left and node.status in AWAY]
    return "; ".join(
        f"{', '.join(sorted(left[node.id]))} on {node.name}, {words}: gone when that is back, "
        f"or by `gbnt node rm {node.name} --force`"
        for node, words in away
    )


def settled_at(state: State, stack: str) -> float:
    """When a stack that runs may be believed, in seconds since the epoch.

    A task without a health check says that it runs as soon as it is started; one that is about to fall over mostly does
    so in the first seconds.
    """
    return max((task.started_at for task in _unchecked(state, stack)), default=0.0) + SETTLING


def starts(state: State, stack: str) -> frozenset[tuple[str, float]]:
    """Which tasks are to be believed without a health check, each by its id with its last start."""
    return frozenset((task.id, task.started_at) for task in _unchecked(state, stack))


def watched(state: State, stack: str, now: float) -> str:
    """Why a stack that runs is not believed yet, in words; empty once it may be."""
    young = {task.service for task in _unchecked(state, stack) if task.started_at + SETTLING > now}
    if not young:
        return ""
    named = sorted(young)[:NAMED]
    rest = [f"{len(young) - NAMED} more"] if len(young) > NAMED else []
    *names, last = [*named, *rest]
    names_of_all = f"{', '.join(names)} and {last} have" if names else f"{last} has"
    return f"watched for {SETTLING:g} s, since {names_of_all} no health check"


def _unchecked(state: State, stack: str) -> list[Task]:
    return [task for task in state.tasks_in(stack) if task.serving and not task.health]


def of_service(state: State, service: Service) -> Waiting | Converged | Failed:
    """How far one service is."""
    if service.removing:
        return Waiting(f"{service.name} is being removed")
    tasks = state.tasks_of(service.key)
    wanted = [task for task in tasks if task.desired in WANTED]
    if service.stopped:
        return Waiting(f"{service.name} is being stopped") if wanted else Converged(f"{service.name} is stopped")
    leaving = emptied(state.nodes.values())
    holding = {task.slot for task in wanted if task.node in leaving and task.serving and is_current(service, task)}
    # One that may not be able to leave its machine serves on: what waits to take its place is no failure.
    wanted = [task for task in wanted if not (task.state == "pending" and task.slot in holding)]
    current = [task for task in wanted if is_current(service, task)]
    for task in current:
        why = failure(task)
        if why:
            return Failed(f"{service.name}.{task.slot}: {why}", task.id)
    good = [task for task in current if task.serving or is_done(service, task)]
    if len(good) == service.replicas == len(wanted):
        return Converged(f"{service.name} runs as wanted")
    return Waiting(f"{len(good)} of {service.replicas} tasks of {service.name} are there")


def is_done(service: Service, task: Task) -> bool:
    """Whether the task was one-off work that ended well, which is as good as running."""
    return task.state == "complete" and service.spec.restart.condition != "any"


def failure(task: Task) -> str:
    """Why a wanted task needs a person, in words; empty while it may still come right by itself.

    One crash is nobody's alarm. A task that never had a container and says a problem is another matter: its image, a
    port or a machine is not to be had, and trying again alone has seldom mended that.
    """
    if task.state in ("failed", "rejected"):
        return task.message or task.problem
    if not task.problem:
        return ""
    if task.crashes >= GIVES_UP_AFTER:
        return f"keeps failing: {task.problem}"
    if task.state in ("pending", "preparing") and task.crashes == 0:
        return task.problem
    return ""
