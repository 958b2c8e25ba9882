"""Decisions on tasks: what a service wants of them, and what was seen of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from cluster import addresses
from cluster.assignment import Observation
from cluster.changed import changed
from cluster.company import strays_of
from cluster.decide.additions import Additions
from cluster.decide.decision import Decided, Decision, Draft, Entropy, Refusal
from cluster.decide.nodes import lose_task, lost_tasks
from cluster.decide.references import meant
from cluster.decide.sweep import sweep
from cluster.model import Change, Desired, Service, State, Task
from cluster.moves import emptied
from cluster.placement import Board
from cluster.reconcile import DesireTask, Reconciled
from cluster.transitions import IllegalTransition, observe

# What is wanted of a task only ever moves on.
ORDER: Mapping[Desired, int] = {"ready": 0, "run": 1, "stop": 2, "remove": 3}


def carry_out(
    state: State,
    basis: Service,
    decided: Reconciled,
    entropy: Entropy,
    pool: str = addresses.DEFAULT_POOL,
    board: Board | None = None,
) -> Decided:
    """A service's decision made real. What no longer fits the present state is dropped: the service is asked again.

    `basis` is the service that was decided on: one scaled down and up again must not lose tasks to what was right in
    between. `pool` is what the subnets of networks are taken from (CIDR). A `board` of an earlier state saves counting
    all tasks again.
    """
    service = state.services.get(basis.key)
    if service is None or service.order != basis.order:
        return Decided()
    draft = Draft(state)
    if decided.replicas is not None:
        service = replace(service, replicas=decided.replicas)
        draft.put(Change("services", service.key, service))
    for desire in decided.desires:
        _desire(draft, desire, entropy.now, service.request)
    if decided.adds:
        board = board or Board()
        board.follow(draft.state)
        astray = strays_of(draft.state, draft.state.services_of(service.stack))
        leaving = emptied(draft.state.nodes.values()) | astray.get(service.key, frozenset())
        additions = Additions(draft, board, service, leaving, pool)
        for add in decided.adds:
            additions.add(add, entropy)
    _say_update(draft, service, decided)
    if service.removing:  # what waited for a machine until now is gone at once, and may have been the last of it
        sweep(draft)
    return draft.decided()


def _say_update(draft: Draft, service: Service, decided: Reconciled) -> None:
    if decided.update is None or (decided.update, decided.update_message) == (service.update, service.update_message):
        return
    now = replace(service, update=decided.update, update_message=decided.update_message)
    draft.put(Change("services", service.key, now))
    if decided.update != service.update:
        draft.tell(f"service.{decided.update}", service.key, decided.update_message, service.request)


def _desire(draft: Draft, desire: DesireTask, now: float, request: str = "") -> None:
    task = draft.state.tasks.get(desire.task)
    if task is None or ORDER[desire.desired] <= ORDER[task.desired]:
        return  # an older plan: what was asked for since goes further
    said = desire.message or task.message
    turned = changed(task, desired=desire.desired, why=desire.message, message=said, request=request)
    nobody = not task.node or (task.ended and task.node not in draft.state.nodes)
    if nobody and desire.desired in ("stop", "remove"):  # it has no machine that would put it away
        draft.put(Change("tasks", task.id, None))
        return
    draft.put(Change("tasks", task.id, turned))
    if desire.desired == "run":
        for other in draft.state.tasks_of(task.service_key):
            if other.slot == task.slot and other.forsaken and not other.ended:
                lose_task(draft, other, "another took its place", now)
    if desire.desired in ("stop", "remove") and not task.ended:
        draft.tell("task.stopping", task.name, desire.message, turned.request)


def take_in(state: State, node: str, seen: Iterable[Observation]) -> Decided:
    """What a machine saw becomes part of the record. Of another machine's tasks it has nothing to say.

    An observation that may not follow the record is a fault in gbnt: it is told as an event and left out, so that one
    bad report does not keep all others from being heard.
    """
    draft, removed = Draft(state), False
    for observation in seen:
        task = draft.state.tasks.get(observation.task)
        if task is None or task.node != node:
            continue
        if observation.removed and task.desired == "remove":
            # Nothing of it is left, whatever its last word was.
            draft.put(Change("tasks", task.id, None))
            draft.tell("task.removed", task.name, "removed", task.request)
            removed = True
            _all_put_away(draft, task.node)
            continue
        if task.state == "lost":
            continue  # the Senate's word is the last
        try:
            now = observe(task, observation)
        except IllegalTransition as error:
            draft.tell("task.illegal", task.name, str(error), task.request)
            continue
        if now is task:
            continue
        draft.put(Change("tasks", task.id, now))
        if (now.state, now.attempt, now.health, now.problem) != (task.state, task.attempt, task.health, task.problem):
            kind = f"task.{now.health if now.health == 'unhealthy' else now.state}"
            draft.tell(kind, task.name, now.message, task.request)
    if removed:
        sweep(draft)
    return draft.decided()


def ahead(state: State, node: str, seen: Iterable[Observation]) -> Mapping[str, int]:
    """By task the sequence of a record that is of a later word than what a machine saw now.

    A life of gbnt that begins from an older record takes the time of day for where its last life was. If that was set
    back meanwhile, what it says would be taken for old until the clock has caught up.
    """
    records = ((one, state.tasks.get(one.task)) for one in seen)
    return {
        one.task: task.sequence
        for one, task in records
        if task is not None and task.node == node and task.sequence > one.sequence
    }


def _all_put_away(draft: Draft, node: str) -> None:
    """A machine that was down is ready again once nothing is left there that runs elsewhere."""
    known = draft.state.nodes.get(node)
    if known is not None and known.status == "returning" and not lost_tasks(draft.state, node):
        draft.put(Change("nodes", node, replace(known, status="ready", message="ready")))
        draft.tell("node.ready", known.name, "ready")


def stop_task(state: State, reference: str) -> Decision:
    """Stop one task's container for good; its service replaces it."""
    found = find_task(state, reference)
    if isinstance(found, Refusal):
        return found
    if found.desired in ("stop", "remove"):
        return Decided(told={found.name: "stopping already"})
    draft = Draft(state)
    _desire(draft, DesireTask(found.id, "stop", "stopped by hand; its service replaces it"), 0.0)
    return draft.decided(told={found.name: "stopping; its service replaces it"}, detail={"task": found.id})


def find_task(state: State, reference: str) -> Task | Refusal:
    """The task of that id, unique beginning of one, or name (then the newest of its slot)."""
    exact = state.tasks.get(reference)
    if exact is not None:
        return exact
    named = [task for task in state.tasks.values() if task.name == reference]
    if named:
        return max(named, key=lambda task: (task.desired in ("run", "ready"), task.created_at))
    id = meant("task", reference, {task.id: task.name for task in state.tasks.values()}, "gbnt task ls")
    return id if isinstance(id, Refusal) else state.tasks[id]
