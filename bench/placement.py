"""Machines for many tasks at once, and for a few more once they are there; pure decisions, in one process.

Each service has 50 tasks, a reservation of CPUs and memory, a spread over 5 zones, and one of 20 sets of constraints.
The clock runs from a state without a board to the last task's record with its machine in it; it is that of the process,
for nothing here waits. The floor is to write those records alone: what is wanted of each is known there beforehand.
"""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Mapping
from dataclasses import replace
from itertools import count, islice

from bench.figures import Goal, median, report
from cluster.changed import changed
from cluster.decide.decision import Entropy
from cluster.decide.tasks import carry_out
from cluster.model import Change, Node, Service, Stack, State, Task, revision_key
from cluster.placement import Board
from cluster.reconcile import reconcile
from cluster.spec import Placement, Resources, ServiceSpec, StackSpec

RUNS = 5
REPLICAS = 50
CHANGED = 100
GB = 10**9
# Tasks a second, as others have published them, on other machines: see README.
PUBLISHED = {
    "swarmkit, 10k tasks on 1k nodes, 2016, published": 18_200.0,
    "swarmkit, 100k tasks on 1k nodes, 2016, published": 16_200.0,
    "nomad, C2M, 2020, published": 1_500.0,
    "kube-scheduler, least of its CI on 5k nodes, published": 680.0,
}


def run() -> None:
    """Measure and print."""
    gc.set_threshold(10_000)  # as in gbnt
    _measure("placement.cluster_10k", nodes=500, services=200, goal=Goal("<", 0.3))
    _measure("placement.cluster_100k", nodes=5_000, services=2_000, goal=Goal("<", 4.0))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    report("placement.cluster_100k", "memory", peak, "MB", Goal("<", 1_000.0))


def _measure(bench: str, *, nodes: int, services: int, goal: Goal) -> None:
    empty = _cluster(nodes, services)
    waiting = {key: _waiting(service) for key, service in empty.services.items()}
    tasks = services * REPLICAS
    floors, ours, changes, plans = list[float](), list[float](), list[float](), list[float]()
    for warm in range(RUNS + 1):
        floor = _record(waiting)
        begun = time.process_time()
        board = Board(empty)
        placed = _place(board, empty, waiting)
        taken = time.process_time() - begun
        full = replace(empty, tasks=placed)
        changed, planned = _change(board, full), _plan(board, full)
        if warm:
            floors.append(floor)
            ours.append(taken)
            changes.append(changed)
            plans.append(planned)
    floor, seconds, goal_of_change = median(floors), median(ours), Goal("<", 20.0)
    report(bench, "seconds", seconds, "s", goal, ours=seconds, floor=floor, runs=RUNS)
    report(bench, "rate", tasks / seconds, "tasks/s", ours=tasks / seconds, peers=PUBLISHED, runs=RUNS)
    report(bench, f"change_of_{CHANGED}", median(changes) * 1e3, "ms", goal_of_change, runs=RUNS)
    report(bench, f"plan_of_{CHANGED}", median(plans) * 1e3, "ms", goal_of_change, runs=RUNS)


def _place(board: Board, state: State, waiting: Mapping[str, list[Task]]) -> dict[str, Task]:
    placed: dict[str, Task] = {}
    for key, tasks in waiting.items():
        service = state.services[key]
        for task in tasks:
            node, reason = board.place(service, task.slot)
            if node is None:
                raise RuntimeError(f"{task.name} {reason}")
            task = placed[task.id] = changed(task, node=node.id, state="assigned")
            board.take(task, service.spec)
    return placed


def _change(board: Board, state: State) -> float:
    """The seconds that a board takes which knows the state, when tasks of many services went and come again."""
    every = len(state.tasks) // CHANGED
    gone = list(islice(state.tasks.values(), 0, None, every))[:CHANGED]
    board.follow(state)
    after = state.after([Change("tasks", task.id, None) for task in gone])
    begun = time.process_time()
    board.follow(after)
    for task in gone:
        _place(board, after, {task.service_key: [task]})
    return time.process_time() - begun


def _plan(board: Board, state: State) -> float:
    """The seconds of one decision, from the state to the next one: a service is to have so many tasks more."""
    service = next(iter(state.services.values()))
    wanted = replace(service, replicas=service.replicas + CHANGED)
    stack = Stack(wanted.stack, StackSpec(wanted.stack, {wanted.name: wanted.spec}), 0.0, 0.0)
    state = state.after([Change("services", wanted.key, wanted), Change("stacks", stack.name, stack)])
    board.follow(state)
    adds = reconcile(wanted, state.tasks_of(wanted.key), 0.0)
    ids = count()
    begun = time.process_time()
    decided = carry_out(state, wanted, adds, Entropy(0.0, lambda: f"new{next(ids)}"), board=board)
    after = state.after(decided.changes)
    taken = time.process_time() - begun
    if len(after.tasks) != len(state.tasks) + CHANGED:
        raise RuntimeError(f"{len(after.tasks) - len(state.tasks)} tasks were added instead of {CHANGED}")
    return taken


def _record(waiting: Mapping[str, list[Task]]) -> float:
    """The seconds that it takes to write each task's record anew."""
    begun = time.process_time()
    for tasks in waiting.values():
        for task in tasks:
            changed(task, node="n1", state="assigned")
    return time.process_time() - begun


def _cluster(nodes: int, services: int) -> State:
    found = [_service(number) for number in range(services)]
    return State(
        nodes={node.id: node for node in map(_node, range(nodes))},
        services={service.key: service for service in found},
        revisions={revision_key(service.key, "r1"): service.spec for service in found},
    )


def _node(number: int) -> Node:
    labels = {"zone": f"z{number % 5}", "disk": "ssd" if number % 3 else "hdd", "rack": f"r{number % 20}"}
    return Node(
        id=f"n{number:05}",
        name=f"machine{number}",
        role="worker",
        status="ready",
        message="ready",
        address=f"10.0.{number // 250}.{number % 250}",
        since=0.0,
        os="linux",
        arch="amd64" if number % 4 else "arm64",
        cpus=32,
        memory=128 * GB,
        labels=labels,
    )


def _service(number: int) -> Service:
    kind = number % 20
    constraints = (
        (f"node.labels.rack != r{kind}",)
        if kind % 2
        else ("node.labels.disk == ssd", f"node.labels.rack not in (r{kind}, r{kind + 1})")
    )
    spec = ServiceSpec(
        name=f"service{number}",
        image=f"image{number}",
        network_mode="bridge",
        replicas=REPLICAS,
        reserved=Resources(cpus=0.25 + number % 3 * 0.1, memory=GB // (1 + number % 2)),
        placement=Placement(constraints, spread=("node.labels.zone",)),
    )
    return Service(f"stack{number // 4}", spec.name, spec, "r1", REPLICAS, 0.0, 0.0)


def _waiting(service: Service) -> list[Task]:
    return [
        Task(
            id=f"{service.key}.{slot}",
            stack=service.stack,
            service=service.name,
            slot=slot,
            revision="r1",
            generation=0,
            node="",
            desired="run",
            state="pending",
            message="",
            created_at=0.0,
            since=0.0,
        )
        for slot in range(1, REPLICAS + 1)
    ]
