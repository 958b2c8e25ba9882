"""Whatever happens, in whatever order: once it is over exactly what is wanted runs, and nothing twice."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from random import Random

import pytest

from tests.e2e.node import until
from tests.lab.lab import Lab
from tests.lab.machine import Machine
from tests.lab.sightings import sights, slots

pytestmark = [pytest.mark.engine, pytest.mark.soak]

FAULTS = 12
SEEDS = [int(seed) for seed in os.environ.get("LAB_SEEDS", "1,2,3,4,5").split(",")]


class Chaos:
    """Faults by chance, each of them one that a machine may have; what a manager is asked meanwhile it may refuse."""

    def __init__(self, lab: Lab, random: Random) -> None:
        self._lab = lab
        self._random = random
        self.story: list[str] = []

    def strike(self) -> None:
        """One more fault, or one less."""
        machine = self._random.choice(self._lab.machines)
        act: Callable[[Machine], None] = self._random.choice(
            [self.kill_gbnt, self.kill_engine, self.cut, self.heal, self.power, self.scale, self.pause]
        )
        self.story.append(f"{act.__name__} {machine.name}")
        act(machine)

    def kill_gbnt(self, machine: Machine) -> None:
        if machine.process is not None:
            machine.kill9()
            machine.process = None
        elif machine.host.space.is_open:
            machine.launch()

    def kill_engine(self, machine: Machine) -> None:
        if machine.host.daemon is not None:
            machine.host.end("KILL")
            machine.host.daemon = None
        elif machine.host.space.is_open:
            machine.host.start()

    def cut(self, machine: Machine) -> None:
        self._lab.cut(machine)

    def heal(self, machine: Machine) -> None:
        self._lab.heal()

    def power(self, machine: Machine) -> None:
        if machine.host.space.is_open:
            machine.power_off()
        else:
            machine.power_on()
            machine.launch()

    def scale(self, machine: Machine) -> None:
        wanted = self._random.randrange(3, 10)
        manager = self._lab.machines[0]
        if manager.host.space.is_open:
            manager.gbnt("service", "scale", f"shop/web={wanted}", "--detach")

    def pause(self, machine: Machine) -> None:
        """Let what was done so far have its effect, or a part of it."""
        time.sleep(self._random.uniform(0.5, 8.0))

    def end(self) -> None:
        """All faults are over."""
        self._lab.heal()
        for machine in self._lab.machines:
            if not machine.host.space.is_open:
                machine.power_on()
            if machine.host.daemon is None:
                machine.host.start()
            if machine.process is None:
                machine.launch()
        for machine in self._lab.machines:
            machine.settle()


@pytest.mark.parametrize("seed", SEEDS)
def test_after_any_faults_exactly_what_is_wanted_runs(seed: int, legion: Lab, service):
    rome = legion.machines[0]
    assert (ended := rome.deploy(service(6), "shop")).code == 0, ended.text
    chaos = Chaos(legion, Random(seed))
    for _ in range(FAULTS):
        chaos.strike()
    try:
        chaos.end()
        until(lambda: is_whole(legion), "exactly what is wanted", 120)
    except AssertionError as error:
        raise AssertionError(f"seed {seed}: {error} after {chaos.story}\n{told(legion)}") from error


def told(lab: Lab) -> str:
    """What gbnt and the engines say of it."""
    rome = lab.machines[0]
    asked = (("node", "ls"), ("task", "ls", "--no-trunc"), ("events",))
    logs = [f"{machine.name}:\n{machine.log[-4000:]}" for machine in lab.machines]
    seen = [f"{sight.machine} {sight.slot} {sight.id}" for sight in sights(lab.machines)]
    return "\n".join([*(rome.gbnt(*words).text for words in asked), *seen, *logs])


def is_whole(lab: Lab) -> bool:
    """Whether exactly what is wanted runs, and the manager says so too."""
    api = lab.machines[0].api
    replicas = api.service("shop/web")["replicas"]
    told = Counter(f"web.{row['slot']}" for row in api.tasks(service="shop/web") if row["state"] == "running")
    ready = all(row["status"] == "ready" for row in api.nodes())
    wanted = Counter({f"web.{slot}": 1 for slot in range(1, replicas + 1)})
    return ready and told == wanted and slots(lab.machines) == wanted
