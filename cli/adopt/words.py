"""The plan of an adoption, for a person and for a program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from cli.table import Row
from cluster.adoption.plan import Plan


def described(plan: Plan, command: str) -> Iterator[str]:
    """What is going to happen, a line each; `command` deploys the files from then on."""
    yield f"{plan.project}, which docker compose runs here, becomes the stack {plan.spec.name}:"
    for service in plan.services:
        volumes = f", with volume {', '.join(service.volumes)}" if service.volumes else ""
        replaced = f"replaces {', '.join(service.containers)}" if service.containers else "is new"
        yield f"  {service.name} {replaced}{volumes}"
        for note in service.notes:
            yield f"    {service.name} {note}"
    for network in plan.networks:
        yield f"  network {network.name} is made anew, as gbnt's own"
    for name in plan.left:
        yield f"  {name} is left as it is: no service of the file explains it"
    for note in plan.notes:
        yield f"  note: {note}"
    yield f"  from then on it is deployed by: {command}"
    yield (
        f"All of it is out of reach from the stop, which takes {plan.longest_stop:g} s at most, until the new "
        "containers serve. Volumes stay as they are; if it fails the old containers run again."
    )


def row(plan: Plan, command: str, done: str) -> Row:
    """The same as one value. `done` is `planned`, `adopted` or `obstructed`."""
    return {
        "project": plan.project,
        "stack": plan.spec.name,
        "result": done,
        "services": [asdict(service) for service in plan.services],
        "networks": [network.name for network in plan.networks],
        "obstacles": list(plan.obstacles),
        "notes": list(plan.notes),
        "left": list(plan.left),
        "longest_stop": plan.longest_stop,
        "deployed_by": command,
    }
