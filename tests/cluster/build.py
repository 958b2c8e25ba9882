"""Values for tests of the cluster's rules: only what a test is about needs saying."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

from cluster.assignment import Assignment, Gate
from cluster.decide.decision import Decided, Decision, Entropy, Refusal
from cluster.decide.placeable import unplaceable
from cluster.execution import Seen, Situation
from cluster.model import Node, Service, State, Task
from cluster.spec import Attachment, NetworkSpec, ServiceSpec, StackSpec

NOW = 1_000_000.0


def spec(name: str = "web", **fields: Any) -> ServiceSpec:
    return ServiceSpec(**{"name": name, "image": "busybox", **fields})


def stack(*services: ServiceSpec, name: str = "shop", **fields: Any) -> StackSpec:
    networks = {"default": NetworkSpec(f"{name}_default")}
    attached = {s.name: replace(s, networks=s.networks or (Attachment("default"),)) for s in services}
    return StackSpec(**{"name": name, "services": attached, "networks": networks, **fields})


def task(**fields: Any) -> Task:
    plain: dict[str, Any] = {
        "id": "t1",
        "stack": "shop",
        "service": "web",
        "slot": 1,
        "revision": "r1",
        "generation": 0,
        "node": "n1",
        "desired": "run",
        "state": "assigned",
        "message": "",
        "created_at": NOW,
        "since": NOW,
    }
    return Task(**{**plain, **fields})


def running(**fields: Any) -> Task:
    return task(**{"state": "running", "message": "running", "ready": True, **fields})


def service(**fields: Any) -> Service:
    of = fields.pop("spec", spec())
    plain: dict[str, Any] = {
        "stack": "shop",
        "name": of.name,
        "spec": of,
        "revision": "r1",
        "replicas": 1,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Service(**{**plain, **fields})


def node(**fields: Any) -> Node:
    plain: dict[str, Any] = {
        "id": "n1",
        "name": "rome",
        "role": "manager",
        "status": "ready",
        "message": "ready",
        "address": "127.0.0.1",
        "since": NOW,
    }
    return Node(**{**plain, **fields})


def state_with(*nodes: Node) -> State:
    return State(nodes={one.id: one for one in nodes or (node(),)})


def entropy(now: float = NOW) -> Entropy:
    numbers = count(1)
    return Entropy(now, lambda: f"id{next(numbers)}")


def situation(**fields: Any) -> Situation:
    of = fields.pop("spec", spec())
    the_task = fields.pop("task", task())
    gates: tuple[Gate, ...] = fields.pop("gates", ())
    plain: dict[str, Any] = {"assignment": Assignment(the_task, of, gates), "seen": None, "now": NOW}
    return Situation(**{**plain, **fields})


def seen(**fields: Any) -> Seen:
    plain: dict[str, Any] = {
        "id": "c1",
        "name": "shop-web-1-t1",
        "attempt": 1,
        "phase": "running",
        "started_at": NOW - 5,
    }
    return Seen(**{**plain, **fields})


def misplaced(state: State, wanted: StackSpec) -> str:
    """Why a stack could go nowhere, as a person is told; empty where it could."""
    problem = unplaceable(state, wanted)
    return f"service {problem.path[1]} {problem.message}" if problem else ""


def done(state: State, decision: Decision) -> State:
    """The state that a decision leads to."""
    assert isinstance(decision, Decided), decision
    return state.after(decision.changes, state.revision + 1)


def refused(decision: Decision) -> Refusal:
    """A decision that is no."""
    assert isinstance(decision, Refusal), decision
    return decision
