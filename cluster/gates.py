"""What a task waits for before its first start: from its gates and how far what it needs has come, to words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Literal

from cluster.assignment import Gate, Milestone
from cluster.model import Health, Service, TaskState


def milestone(state: TaskState | Literal["unknown"], health: Health) -> Milestone:
    """How far a task has come that stands so."""
    match state:
        case "complete":
            return "complete"
        case "running" if health in ("", "healthy"):
            return "healthy" if health else "unchecked"
        case "starting" | "running":
            return "started"
        case _:
            return ""


def waiting_for(gates: Iterable[Gate], reached: Mapping[str, Collection[Milestone]]) -> str:
    """What is not yet as the gates want it, in words; empty when the task may start.

    `reached` is how far the wanted tasks of each service (`stack/name`) have come, on whichever machine. One replica
    that meets the condition opens the gate; what is to complete has to with all of them.
    """
    shut = [_words(gate) for gate in gates if not _open(gate, reached.get(gate.service, ()))]
    return " and ".join(shut)


def hopeless(gates: Iterable[Gate], reached: Mapping[str, Collection[Milestone]]) -> str:
    """Why a gate that is shut will not open by itself, for a person to mend; empty where it may. `reached` as above."""
    for gate in gates:
        come = reached.get(gate.service, ())
        if _open(gate, come):
            continue
        if gate.hopeless:
            return gate.hopeless
        if gate.condition == "service_healthy" and "unchecked" in come:
            return f"{_name(gate)} has no health check: give it one, or wait for service_started instead"
    return ""


def without_tasks(name: str, service: Service | None) -> str:
    """Why no task of the service of that name is wanted, and what to do; empty where some are."""
    if service is None or service.removing:
        return f"{name} was removed: deploy the stack again"
    if service.stopped:
        return f"{name} is stopped: start it"
    return "" if service.replicas else f"{name} has 0 replicas: scale it up"


def _open(gate: Gate, reached: Collection[Milestone]) -> bool:
    done = bool(reached) and all(one == "complete" for one in reached)
    match gate.condition:
        case "service_healthy":
            return done or "healthy" in reached
        case "service_completed_successfully":
            return done
        case _:
            return any(reached)


def _name(gate: Gate) -> str:
    return gate.service.partition("/")[2]


def _words(gate: Gate) -> str:
    name = _name(gate)
    match gate.condition:
        case "service_healthy":
            return f"{name} to be healthy"
        case "service_completed_successfully":
            return f"{name} to complete"
        case _:
            return f"{name} to start"
