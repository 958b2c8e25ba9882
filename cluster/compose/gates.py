"""`depends_on` over the whole stack: what waits for what, and whether it can ever end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cluster.compose.findings import quote
from cluster.compose.problem import Problem
from cluster.spec import Dependency, ServiceSpec, StackSpec

OFF = ("NONE",)


def gate_problems(spec: StackSpec) -> Iterator[Problem]:
    """Dependencies on nothing, on what can never come true, and in a circle."""
    for name, service in spec.services.items():
        for gate in service.depends_on:
            yield from _gate_problems(name, gate, spec.services)
    if cycle := find_cycle({name: [gate.service for gate in one.depends_on] for name, one in spec.services.items()}):
        path = ("services", cycle[0], "depends_on", cycle[1])
        chain = " -> ".join(cycle if len(cycle) <= 12 else [*cycle[:10], "…", cycle[-1]])
        yield Problem(path, f"services wait for each other: {chain}", "remove one of these dependencies", "cycle")


def _gate_problems(name: str, gate: Dependency, services: Mapping[str, ServiceSpec]) -> Iterator[Problem]:
    path = ("services", name, "depends_on", gate.service)
    target = services.get(gate.service)
    if target is None:
        if gate.required:
            known = ", ".join(list(services)[:10])
            yield Problem(path, f"there is no service {quote(gate.service)}", f"the services are {known}", "undefined")
    elif gate.condition == "service_healthy" and target.healthcheck and target.healthcheck.test == OFF:
        hint = f"give {gate.service} a health check, or wait for service_started"
        yield Problem(path, f"{quote(gate.service)} never gets healthy: its health check is off", hint, "conflict")


def find_cycle(edges: Mapping[str, list[str]]) -> list[str]:
    """One circle, its first name again at its end; empty where there is none. Not recursive: chains may be long."""
    done: set[str] = set()
    for start in edges:
        trail: dict[str, Iterator[str]] = {} if start in done else {start: iter(edges[start])}
        while trail:
            name = next(reversed(trail))
            following = next(trail[name], None)
            if following is None:
                done.add(name)
                del trail[name]
            elif following in trail:
                names = list(trail)
                return [*names[names.index(following) :], following]
            elif following in edges and following not in done:
                trail[following] = iter(edges[following])
    return []
