"""What goes wrong with a legion: to one machine, to several, or to all at once. Which and when follows from a seed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from random import Random

import anyio

from tests.actors.legion import MANAGER, Legion
from tests.sim.luck import Luck
from tests.sim.orders import Note
from transport.memory import Faults as LineFaults

MOST_NEWCOMERS = 3


class Mishaps:
    """`luck` is each machine's own. `furnish` makes a machine, and `leaving` takes the names of those that go for good.

    All that begins or ends a life of gbnt happens here, one after the other.
    """

    def __init__(
        self,
        random: Random,
        legion: Legion,
        luck: dict[str, Luck],
        furnish: Callable[[str], None],
        leaving: list[str],
        note: Note,
    ) -> None:
        self._random = random
        self._legion = legion
        self._luck = luck
        self._furnish = furnish
        self._leaving = leaving
        self._note = note
        self._newcomers = 0
        self.machines = list(luck)

    async def happen(self, until: float) -> None:
        """One after the other, the more the larger the legion; at that time all is calm, and everything is there."""
        mishaps = self._single() * 3 + self._common()
        pause = 4.0 / (1 + len(self.machines) / 20)
        while anyio.current_time() < until:
            await anyio.sleep(self._random.uniform(0.2, pause))
            await self._recover()
            mishap = self._random.choice(mishaps)
            name = MANAGER if self._random.random() < 0.2 else self._random.choice(self.machines)
            self._note(f"-- {mishap.__name__.strip('_')} {name}")
            await mishap(name)
        await self._calm_down()

    def _single(self) -> list[Callable[[str], Awaitable[None]]]:
        return [
            self._part,
            self._kill,
            self._light_fuse,
            self._stop,
            self._break_line,
            self._crash_engine,
            self._end_a_container,
            self._set_the_clock,
        ]

    def _common(self) -> list[Callable[[str], Awaitable[None]]]:
        return [self._heal, self._heal, self._part_many, self._cut_the_power, self._remove, self._come]

    async def _recover(self) -> None:
        """Some of what was ended is begun anew."""
        for name in self.machines:
            engine, member = self._legion.homes[name].engine, self._legion.members.get(name)
            if member is not None and member.killed:
                await self._legion.kill(name)  # its fuse went off
            elif member is None and self._random.random() < 0.3:
                await self._start(name)
            if not engine.running and self._random.random() < 0.5:
                engine.restart()

    # -- to one machine --------------------------------------------------------------------------------------------

    async def _start(self, name: str) -> None:
        self._note(f"-- start {name}")
        await self._legion.start(name)

    async def _part(self, name: str) -> None:
        self._legion.part(name)

    async def _kill(self, name: str) -> None:
        await self._legion.kill(name)

    async def _light_fuse(self, name: str) -> None:
        """It is killed in the midst of what it does next, or somewhat later."""
        self._luck[name].fuse = self._random.randint(1, 20)

    async def _stop(self, name: str) -> None:
        await self._legion.stop(name)

    async def _break_line(self, name: str) -> None:
        self._legion.network.cut(name)

    async def _crash_engine(self, name: str) -> None:
        self._legion.homes[name].engine.crash()

    async def _end_a_container(self, name: str) -> None:
        home = self._legion.homes[name]
        running = [one.id for one in home.containers() if one.running]
        if running:
            home.engine.exit(self._random.choice(running), self._random.choice((0, 1, 137)))

    async def _set_the_clock(self, name: str) -> None:
        self._legion.homes[name].engine.set_clock(self._random.choice((-3600.0, -10.0, 10.0, 3600.0)))

    # -- to several ------------------------------------------------------------------------------------------------

    async def _heal(self, name: str) -> None:
        for one in self.machines:
            self._legion.join(one)

    async def _part_many(self, name: str) -> None:
        """So many at once that the network is the likelier fault: nothing is to be replaced then."""
        for one in self._random.sample(self.machines, (2 * len(self.machines) + 2) // 3):
            self._legion.part(one)

    async def _cut_the_power(self, name: str) -> None:
        """All machines at once; they come back one after the other."""
        for one in self.machines:
            self._legion.homes[one].engine.crash()
        await self._legion.kill(*self.machines)
        for one in self._random.sample(self.machines, len(self.machines)):
            self._legion.homes[one].engine.restart()
            await self._start(one)

    async def _remove(self, name: str) -> None:
        """A machine leaves for good; gbnt may still run on it, and try to come in."""
        if name == MANAGER or len(self.machines) < 5:
            return
        self.machines.remove(name)
        if self._random.random() < 0.5:
            await self._legion.kill(name)
        self._luck[name].fuse = None
        await self._legion.dismiss(name)
        self._leaving.append(name)

    async def _come(self, name: str) -> None:
        """A machine joins."""
        if self._newcomers == MOST_NEWCOMERS:
            return
        self._newcomers += 1
        name = f"turin-{self._newcomers}"
        self._furnish(name)
        await self._start(name)
        if MANAGER in self._legion.members:  # or it lets in all that are there when it starts
            await self._legion.admit(name)
        self.machines.append(name)

    async def _calm_down(self) -> None:
        self._note("-- all is calm from here on")
        self._legion.network.faults = LineFaults()
        for luck in self._luck.values():
            luck.calm_down()
        for name in self.machines:
            self._legion.join(name)
            member = self._legion.members.get(name)
            if member is not None and member.killed:
                await self._legion.kill(name)
            if not self._legion.homes[name].engine.running:
                self._legion.homes[name].engine.restart()
            if name not in self._legion.members:
                await self._start(name)
