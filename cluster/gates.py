"""What a task waits for before its first start: from its gates and what is up, to words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from cluster.assignment import Gate, Observation
from cluster.model import Service


def waiting_for(gates: Iterable[Gate], up: Mapping[str, Collection[Observation]], completed: Collection[str]) -> str:
    """What is not yet as the gates want it, in words; empty when the task may start.

    `up` is what is known of each service's wanted tasks by `stack/name`, `completed` the services whose one-off work
    is done. One replica that meets the condition opens the gate.
    """
    shut = [_words(gate) for gate in gates if not _open(gate, up.get(gate.service, ()), completed)]
    return " and ".join(shut)


def hopeless(gates: Iterable[Gate], up: Mapping[str, Collection[Observation]], completed: Collection[str]) -> str:
    """Why a gate that is shut will not open by itself, for a person to mend; empty where it may. `up` as above."""
    for gate in gates:
        seen = up.get(gate.service, ())
        if _open(gate, seen, completed):
            continue
        if gate.hopeless:
            return gate.hopeless
        if any(_unchecked(gate, one) for one in seen):
            return f"{_name(gate)} has no health check: give it one, or wait for service_started instead"
    return ""


def without_tasks(name: str, service: Service | None) -> str:
    """Why no task of the service of that name is wanted, and what to do; empty where some are."""
    if service is None or service.removing:
        return f"{name} was removed: deploy the stack again"
    if service.stopped:
        return f"{name} is stopped: start it"
    return "" if service.replicas else f"{name} has 0 replicas: scale it up"


def _unchecked(gate: Gate, seen: Observation) -> bool:
    return gate.condition == "service_healthy" and seen.state == "running" and not seen.health


def _open(gate: Gate, seen: Collection[Observation], completed: Collection[str]) -> bool:
    done = gate.service in completed or (bool(seen) and all(one.state == "complete" for one in seen))
    if gate.condition == "service_completed_successfully" or done:
        return done
    if gate.condition == "service_healthy":
        return any(one.state == "running" and one.health == "healthy" for one in seen)
    return any(one.state in ("starting", "running") for one in seen)


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
