"""Somebody who looks after the machines: empties, labels and removes them, and knows what was decided of each."""

from __future__ import annotations

from random import Random

import anyio

from actors import protocol
from cluster.model import State
from tests.sim.orders import Ask, Note, Orders

EDGE = "edge"


class Admin:
    """`decided` is what was accepted last of each machine: its availability, and whether it has the label EDGE.

    Machines in `leaving` are to be removed, those in `gone` were; while it is not `calm`, more may leave.
    """

    def __init__(self, random: Random, ask: Ask, note: Note) -> None:
        self.decided: dict[str, tuple[str, bool]] = {}
        self.leaving: list[str] = []
        self.gone: set[str] = set()
        self.calm = False
        self.waiting = False
        self._random = random
        self._orders = Orders("admin", random, ask, note)
        self.state = self._orders.state

    async def order(self, machines: list[str]) -> None:
        """Decide now and then on one of the machines, or remove one that is to be; until all is calm."""
        while self.leaving or not self.calm:
            await anyio.sleep(self._random.uniform(0.5, 8.0))
            if self.leaving:
                await self.remove(self.leaving[0])
                self.leaving.pop(0)
            else:
                availability = self._random.choice(("active", "active", "pause", "drain", "maintenance"))
                await self.update(self._random.choice(machines), availability, self._random.random() < 0.5)
            state = await self._orders.state()
            self.check(state)
            await self._orders.perhaps_repeat(state)

    async def update(self, machine: str, availability: str, edge: bool) -> None:
        """Change what the machine may be used for. One that has not joined yet is left as it is."""
        key, (_, has) = self._orders.key(), self.decided.get(machine, ("active", False))
        labels, unlabel = {EDGE: "yes"} if edge else {}, (EDGE,) if has and not edge else ()
        self.waiting = True
        command = protocol.UpdateNode(machine, availability, labels, unlabel, request=key)
        accepted = await self._orders.insist(command, key, lambda refused: refused.code == "not_found")
        if accepted.changes:
            self.decided[machine] = availability, edge
        self.waiting = False

    async def remove(self, machine: str) -> None:
        """Forget the machine, whatever becomes of it."""
        key = self._orders.key()
        self.waiting = True
        command = protocol.RemoveNode(machine, force=True, request=key)
        await self._orders.insist(command, key, lambda refused: refused.code == "not_found")
        self.gone.add(machine)
        self.decided.pop(machine, None)
        self.waiting = False

    def check(self, state: State) -> None:
        """Whether the cluster knows every decision that was accepted, and followed none twice."""
        if self.waiting:
            return
        known = {node.id: (node.availability, EDGE in node.labels) for node in state.nodes.values()}
        expected = {machine: self.decided.get(machine, ("active", False)) for machine in known}
        assert known == expected, f"the machines are {known} and were decided to be {expected}"
        assert not self.gone & known.keys(), f"{sorted(self.gone & known.keys())} were removed and are there"
