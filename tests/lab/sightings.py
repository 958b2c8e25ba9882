"""What really runs: asked of every engine, not of gbnt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tests.lab.machine import Machine


@dataclass(frozen=True, slots=True, order=True)
class Sight:
    """A container that runs: where, for which slot, which one, since when."""

    slot: str
    machine: str
    id: str
    started: str


def sights(machines: Iterable[Machine]) -> list[Sight]:
    """All containers of gbnt's that run on these machines' engines, by slot."""
    return sorted(sight for machine in machines for sight in _on(machine))


def slots(machines: Iterable[Machine]) -> Counter[str]:
    """How many containers run for each slot."""
    return Counter(sight.slot for sight in sights(machines))


def _on(machine: Machine) -> Iterable[Sight]:
    for one in machine.containers():
        labels = one["Config"]["Labels"]
        slot = f"{labels['gbnt.service']}.{labels['gbnt.slot']}"
        yield Sight(slot, machine.name, one["Id"], one["State"]["StartedAt"])
