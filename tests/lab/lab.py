"""Machines on one switch: real engines and real gbnt, with nothing of them left afterwards."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab.machine import Machine
from tests.lab.switch import Switch

IMAGE = "busybox"


@dataclass(frozen=True, slots=True)
class Lab:
    """Machines rome-1, rome-2 …, in a folder that is the lab's own."""

    folder: Path
    switch: Switch
    machines: tuple[Machine, ...]

    def up(self) -> None:
        """Make the network and power on all machines. gbnt is on none of them."""
        self.switch.open()
        subprocess.run(["docker", "save", "-o", self.folder / "image.tar", IMAGE], check=True)
        self.each(self._equip)

    def _equip(self, machine: Machine) -> None:
        machine.folder.mkdir()
        machine.power_on()
        machine.docker("load", "-q", "-i", str(self.folder / "image.tar"))

    def legion(self, *members: Machine) -> None:
        """One cluster of these or of all, and gbnt on each: what the first one prints, pasted on the others."""
        manager, *workers = members or self.machines
        manager.start()
        line = manager.ok("legion", "init")
        for worker in workers:
            worker.paste(line)
        for worker in workers:
            worker.settle()

    def cut(self, *machines: Machine) -> None:
        """Nothing passes between these and the others; among each other they are as before."""
        self.switch.cut(*self._sides(machines))

    def lose(self, percent: int, *machines: Machine) -> None:
        """So much is lost of what passes between these and the others."""
        self.switch.lose(percent, *self._sides(machines))

    def delay(self, seconds: float, *machines: Machine) -> None:
        """What these send, and what they are sent, takes so long."""
        for machine in machines:
            self.switch.delay(machine.number, seconds)

    def heal(self) -> None:
        """No cut, no loss, no delay."""
        self.switch.heal()

    def _sides(self, machines: tuple[Machine, ...]) -> tuple[list[int], list[int]]:
        some = [machine.number for machine in machines]
        return some, [machine.number for machine in self.machines if machine.number not in some]

    def each(self, act: Callable[[Machine], object]) -> None:
        """Do it with all machines at the same time."""
        with ThreadPoolExecutor(len(self.machines)) as pool:
            list(pool.map(act, self.machines))

    def down(self) -> None:
        """Leave nothing: processes, namespaces, links, mounts, rules, control groups, files."""
        self.each(Machine.clean)
        self.switch.close()
        shutil.rmtree(self.folder)


def plan(folder: Path, count: int, lasting: bool = False) -> Lab:
    """A lab of so many machines that is not up yet, or one that is, made by another process."""
    switch = Switch(folder / "switch", lasting)
    machines = (Machine(folder / f"rome-{number}", switch=switch, number=number) for number in range(1, count + 1))
    return Lab(folder, switch, tuple(machines))


@contextmanager
def lab(count: int = 3) -> Iterator[Lab]:
    """A lab that is up, and is gone afterwards."""
    one = plan(Path(tempfile.mkdtemp(prefix="gbnt-lab-", dir="/tmp")), count)
    try:
        one.up()
        yield one
    finally:
        one.down()
