"""Several machines in one event loop: a manager, and workers that dial it over a network in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

import anyio
from anyio.abc import TaskGroup

from actors import protocol
from actors.gatekeeper import LINKS
from actors.machine import Machine
from actors.manager_tree import Parts, tree
from actors.roll import Roll
from actors.senate import Observe
from actors.tree import EXECUTOR, WorkerParts, worker_tree
from cli.peers import news, noted_in
from engine.fake import FakeEngine
from engine.fake_container import FakeContainer
from store.contract import Store
from store.sqlite import SqliteStore
from supervisor.dead_letters import DeadLetter
from supervisor.errors import ActorError, SupervisionError
from supervisor.spec import SupervisorSpec
from supervisor.system import System
from tests.actors.house import CLUSTER, BareShelf, Files, GlassVault, Life, Names, time_of_day
from transport.codec import JsonCodec
from transport.events import PeerEvent
from transport.hello import Local
from transport.memory import MemoryNetwork
from transport.router import LinkRouter

MANAGER = "rome-1"

OpenStore = Callable[[], Awaitable[Store]]


class Orders:
    """A drawer in memory that holds what a disk would."""

    def __init__(self) -> None:
        self._written = b""

    async def load(self) -> protocol.Assign | None:
        orders = JsonCodec().decode(self._written) if self._written else None
        assert orders is None or isinstance(orders, protocol.Assign)
        return orders

    async def save(self, orders: protocol.Assign) -> None:
        written = JsonCodec().encode(orders)
        await anyio.sleep(0.01)
        self._written = written


@dataclass
class Home:
    """What outlives gbnt on one machine of a legion."""

    name: str
    engine: FakeEngine
    random: Random
    names: Names = field(default_factory=Names)
    files: Files = field(default_factory=Files)
    drawer: Orders = field(default_factory=Orders)
    letters: list[DeadLetter] = field(default_factory=list)
    boots: int = 0
    removed: bool = False

    def clock(self) -> float:
        """The machine's time of day, which its engine has too."""
        return time_of_day() + self.engine.skew

    def containers(self) -> list[FakeContainer]:
        """Every container that is there."""
        return list(self.engine._world.containers.values())

    def running(self) -> int:
        """How many of them run."""
        return sum(one.running for one in self.containers())


class Member(Life):
    """One life of gbnt on one machine. `store` is the manager's."""

    def __init__(
        self, home: Home, network: MemoryNetwork, store: Store | None, *, strict: bool, observe: Observe
    ) -> None:
        home.boots += 1
        self.home = home
        self.roll = Roll()
        self.boot = f"boot{home.boots}"
        self.router = LinkRouter(
            Local(home.name, self.boot, CLUSTER), random=Random(home.random.random()), subscriber=self._heard
        )
        system = System(
            home.name,
            codec=JsonCodec() if strict else None,
            router=self.router,
            clock=home.clock,
            dead_letter_log=lambda letter, _: home.letters.append(letter),
        )
        super().__init__(system, store)  # type: ignore[arg-type]
        self.disk = store
        self.network = network
        self._observe = observe
        self.router.bind(system)

    def _heard(self, event: PeerEvent) -> None:
        """As the composition root does it."""
        if self.disk is not None:
            noted_in(self.roll, self.system)(event)
        elif told := news(event):
            self.system.ref(EXECUTOR).tell(told)

    def root(self) -> SupervisorSpec:
        """The tree of this machine."""
        home, manager = self.home, "" if self.disk is not None else MANAGER
        machine = Machine(home.name, home.name, "192.0.2.7", CLUSTER, self.boot, manager)
        if self.disk is None:
            dial = self.network.dialer(home.name, MANAGER)
            return worker_tree(
                WorkerParts(
                    machine=machine,
                    engine=home.engine,
                    resolver=home.names,
                    configs=home.files,
                    clock=home.clock,
                    random=home.random,
                    drawer=home.drawer,
                    links=(self.router.link(MANAGER, dial),),
                    removed=lambda: home.removed,
                )
            )
        return tree(
            Parts(
                machine=machine,
                store=self.disk,
                engine=home.engine,
                resolver=home.names,
                configs=home.files,
                shelf=BareShelf(),
                vault=GlassVault(),
                roll=self.roll,
                drawer=home.drawer,
                clock=home.clock,
                random=home.random,
                observe=self._observe,
            )
        )

    async def live(self) -> None:
        """Until it ends. Raises where the root gives up, unless it was killed: then nobody is there to tell."""
        try:
            await self.system.run(self.root())
        except SupervisionError:
            if not self.killed:
                raise


class Legion:
    """A manager and workers; `start` begins a life of one, `kill` ends it without a word.

    `strict`: messages on one machine are encoded, too, as those between machines always are. `open_store` opens what
    is on the manager's disk; `observe` is told how long the Senate took, after each of its batches.
    """

    group: TaskGroup

    def __init__(
        self,
        directory: Path,
        seed: int = 0,
        *,
        strict: bool = True,
        open_store: OpenStore | None = None,
        observe: Observe = lambda name, seconds: None,
    ) -> None:
        self.network = MemoryNetwork(seed)
        self.homes: dict[str, Home] = {}
        self.members: dict[str, Member] = {}
        self._strict = strict
        self.dismissed: set[str] = set()
        self._open_store = open_store or partial(SqliteStore.open, directory / "state.db", threaded=False)
        self._observe = observe
        self._random = Random(seed)

    def home(self, name: str, engine: FakeEngine | None = None) -> Home:
        """The machine of that name, with this engine where it is new."""
        if name not in self.homes:
            self.homes[name] = Home(name, engine or FakeEngine(time_of_day), Random(self._random.random()))
        return self.homes[name]

    @property
    def manager(self) -> Member:
        """The manager's present life."""
        return self.members[MANAGER]

    async def start(self, name: str) -> Member:
        """Begin a life of gbnt on that machine. A manager keeps a link for each worker that is known by then."""
        store = await self._open_store() if name == MANAGER else None
        member = self.members[name] = Member(
            self.home(name), self.network, store, strict=self._strict, observe=self._observe
        )
        self.group.start_soon(member.live)
        await member.eventually(lambda: member.killed or member.system.cell("resolver") is not None)
        if name == MANAGER:
            for other in sorted(self.homes.keys() - self.dismissed - {MANAGER}):
                await self.admit(other)
        if not member.killed:
            self.network.listen(name, member.router.accept)
        return member

    async def admit(self, name: str) -> None:
        """Let a worker in: the manager waits for it to dial, as it does by itself for those there at its start."""
        manager = self.manager
        try:
            await manager.system.start_child(LINKS, manager.router.link(name))
        except ActorError:
            if not manager.killed:
                raise

    async def dismiss(self, name: str) -> None:
        """Let a worker in no more."""
        self.dismissed.add(name)
        if MANAGER in self.members and not self.manager.killed:
            await self.manager.system.stop_child(f"{LINKS}/{name}")
            self.manager.router.forget(name)
            self.manager.roll.forget(name)

    def strike(self, name: str) -> None:
        """End gbnt on that machine at this moment, as by kill -9. `kill` is still to be called, for what is left."""
        self.network.hang_up(name)
        if name in self.members:
            self.members[name].kill()

    async def kill(self, *names: str) -> None:
        """End gbnt on these machines at once, as by kill -9."""
        for name in names:
            self.strike(name)
        for name in names:
            await self._bury(name)

    async def stop(self, name: str) -> None:
        """End gbnt on that machine in order."""
        if name in self.members:
            self.members[name].system.stop()
        await self._bury(name)
        self.network.hang_up(name)

    async def _bury(self, name: str) -> None:
        member = self.members.pop(name, None)
        if member is None:
            return
        await member.eventually(lambda: not member.system.inspect())
        if member.disk is not None:
            await member.disk.close()

    def part(self, name: str) -> None:
        """Cut a machine off from the manager, silently."""
        self.network.part(name, MANAGER)

    def join(self, name: str) -> None:
        """End that."""
        self.network.join(name, MANAGER)


@asynccontextmanager
async def legion(directory: Path, *workers: str, engine: Callable[[], FakeEngine]) -> AsyncIterator[Legion]:
    """A manager and these workers, each there and ready."""
    one = Legion(directory)
    try:
        async with one.network, anyio.create_task_group() as group:
            one.group = group
            for name in (MANAGER, *workers):
                one.home(name, engine())
            for name in (MANAGER, *workers):
                await one.start(name)
            await one.manager.until(lambda state: sum(n.status == "ready" for n in state.nodes.values()) > len(workers))
            yield one
            for name in list(one.members):
                await one.kill(name)
            group.cancel_scope.cancel()
    except BaseExceptionGroup as errors:
        # A failed assertion is shown as itself.
        error: BaseException = errors
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from None
