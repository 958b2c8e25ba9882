"""A legion with everything against it: machines are cut off, killed, drained and removed, as a seed has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from random import Random

import anyio

from actors import protocol
from cluster.model import State
from cluster.spec import Healthcheck, Mount, Placement, StackSpec, VolumeSpec
from engine.fake import FakeImage
from supervisor.errors import ActorError
from tests.actors.house import story
from tests.actors.legion import MANAGER, Legion
from tests.cluster.build import spec, stack
from tests.sim import simulation
from tests.sim.admin import EDGE, Admin
from tests.sim.census import Census
from tests.sim.customer import WEB, Customer
from tests.sim.luck import Luck, SlowStore, WitnessedEngine
from tests.sim.mishaps import Mishaps
from tests.sim.scheduling import run_seeded
from tests.sim.seeds import again
from tests.sim.witness import Violation, settle, unsettled
from transport.memory import Faults as LineFaults

TROUBLE, SETTLES_WITHIN = 30.0, 400.0
# How many machines there are: at least 5, and mostly few, for one of 50 costs as much as ten of 5.
FEWEST, MOST, OFTEN = 5, (10, 25, 50), (16, 3, 1)


class Campaign:
    """Run once. `log` tells what happened, in order, with virtual times."""

    def __init__(self, seed: int, directory: Path) -> None:
        self._chances = chances = Random(seed)
        self.log: list[str] = []
        self._directory = directory
        self._random = Random(chances.random())
        self._legion = Legion(
            directory,
            chances.randrange(1_000_000),
            strict=False,
            open_store=self._open_store,
            observe=lambda name, seconds: self._census.commit(),
        )
        self._census = Census(self._legion, self._note)
        self._lines = LineFaults(
            drop=chances.choice((0.0, 0.02, 0.1)),
            duplicate=chances.choice((0.0, 0.05)),
            reorder=chances.choice((0.0, 0.05)),
            delay=(0.0, 0.2),
        )
        self._luck: dict[str, Luck] = {}
        for number in range(1, 1 + chances.randint(FEWEST, chances.choices(MOST, OFTEN)[0])):
            self._furnish(f"rome-{number}")
        self._admin = Admin(Random(chances.random()), self._ask, self._note)
        self._customers = list(self._hire())
        self._mishaps = Mishaps(
            Random(chances.random()), self._legion, self._luck, self._furnish, self._admin.leaving, self._note
        )

    async def run(self) -> None:
        """Let orders and mishaps come for a while, then wait until all is as ordered. Raises what must not be."""
        legion = self._legion
        try:
            async with legion.network, anyio.create_task_group() as group:
                legion.group = group
                for name in self._luck:
                    await legion.start(name)
                legion.network.faults = self._lines
                with anyio.fail_after(TROUBLE + SETTLES_WITHIN):
                    async with anyio.create_task_group() as everybody:
                        everybody.start_soon(self._trouble)
                        everybody.start_soon(self._admin.order, self._mishaps.machines)
                        for customer, times in self._customers:
                            everybody.start_soon(customer.order, times)
                await self._decide_for_good()
                await self._settle()
                await legion.kill(*list(legion.members))
                group.cancel_scope.cancel()
        except BaseExceptionGroup as errors:
            error: BaseException = errors
            while isinstance(error, BaseExceptionGroup):
                error = error.exceptions[0]
            raise error from None

    async def _trouble(self) -> None:
        await self._mishaps.happen(TROUBLE)
        self._admin.calm = True

    def _furnish(self, name: str) -> None:
        """A machine with an engine, whose bad luck is its own."""
        chances = self._chances
        luck = self._luck[name] = Luck(
            Random(chances.random()),
            before=chances.choice((0.0, 0.02)),
            after=chances.choice((0.0, 0.02)),
            slow=chances.choice((0.0, 0.3)),
            stream=chances.choice((0.0, 0.02)),
            bad_commit=chances.choice((0.0, 0.02)),
            kill=partial(self._legion.strike, name),
        )
        engine = WitnessedEngine(luck, self._census.witness(name))
        engine.images.update(images())
        self._legion.home(name, engine)

    def _hire(self) -> Iterator[tuple[Customer, int]]:
        """Who orders, and how often: stacks that spread, that stay together, that have data, that need a label."""
        chances, most = self._chances, max(6, len(self._luck) // 2)
        files: Mapping[str, tuple[Callable[[str, Random], StackSpec] | None, int]] = {
            "wide": (partial(wide, most), 6),
            "base": (base, 1),
            "edge": (edge, chances.choice((0, 2))),
            "shop": (None, chances.choice((0, 3))),
        }
        for name, (file, times) in files.items():
            yield Customer(name, Random(chances.random()), self._ask, self._note, file), times

    async def _open_store(self) -> SlowStore:
        luck = self._luck[MANAGER]
        store = await SlowStore.open(self._directory / "state.db", threaded=False, fault=luck.commit_point)
        store.luck = luck
        return store

    async def _ask(self, command: object) -> object:
        member = self._legion.members.get(MANAGER)
        if member is None:
            raise ActorError("the manager is not there")
        return await member.ask(command)

    # -- what must hold --------------------------------------------------------------------------------------------

    async def _decide_for_good(self) -> None:
        """One machine is drained, one has the label, one dies; and a manager that begins anew never hears of that one.

        The first and the last hold no data: where too many machines have some, none is drained, and none dies.
        """
        machines = self._mishaps.machines
        for name in machines:
            await self._admin.update(name, "active", False)
        bare = await self._bare()
        dead = self._one_of([name for name in bare if name != MANAGER])
        await self._come(set(machines) - {dead})
        drained = self._one_of([name for name in bare if name != dead])
        labelled = self._random.choice([name for name in machines if name not in (dead, drained)])
        for name in machines:
            await self._admin.update(name, "drain" if name == drained else "active", name == labelled)
        self._note(f"-- {drained or 'no machine'} is drained for good, and {dead or 'none'} dies")
        if dead:
            self._census.dead.add(dead)
            await self._legion.kill(dead)
            self._legion.homes[dead].engine.crash()
        if self._random.random() < 0.25:
            self._note("-- the manager begins anew")
            await self._legion.kill(MANAGER)
            await self._legion.start(MANAGER)
        self._legion.homes[MANAGER].engine.set_clock(self._random.choice((-3600.0, 0.0, 0.0, 3600.0)))

    def _one_of(self, names: Sequence[str]) -> str:
        return self._random.choice(names) if names else ""

    async def _bare(self) -> list[str]:
        """The machines without the data, once some machine has it: whoever is bare before may get it yet."""
        machines = self._mishaps.machines
        with anyio.fail_after(SETTLES_WITHIN):
            while not (held := [name for name in machines if self._census.has_volume(name, "base_data")]):
                await anyio.sleep(1.0)
        state = await self._admin.state()
        held += [task.node for task in state.tasks_in("base")]
        return [name for name in machines if name not in held]

    async def _come(self, names: set[str]) -> None:
        """Wait for machines that are still on their way: nothing can be said of one that is not there."""
        with anyio.fail_after(SETTLES_WITHIN):
            while names - (await self._admin.state()).nodes.keys():
                await anyio.sleep(1.0)

    async def _settle(self) -> None:
        await settle(self._unsettled, SETTLES_WITHIN, 2.0)
        events = await self._legion.manager.events()
        wrong = [event for event in events if event.startswith("task.illegal")] + self._census.complaints()
        if wrong:
            raise Violation("\n".join(wrong))

    async def _unsettled(self) -> list[str]:
        try:
            state = await self._ask(protocol.GetState())
        except ActorError:
            return ["the manager does not answer"]
        assert isinstance(state, State)
        self._admin.check(state)
        customers = [customer for customer, _ in self._customers]
        for customer in customers:
            customer.check(state)
        missing = [
            *unsettled(state, self._census.containers(state), self._census.networks(state), customers),
            *self._census.missing(state),
            *self._strangers(state),
        ]
        return [*missing, story(state)] if missing else []

    def _strangers(self, state: State) -> Iterator[str]:
        """Machines that should be there and are not, and tasks where none should be. The dead may never have come."""
        if absent := set(self._mishaps.machines) - self._census.dead - state.nodes.keys():
            yield f"{sorted(absent)} are not there"
        drained = {name for name, (availability, _) in self._admin.decided.items() if availability == "drain"}
        for task in state.tasks.values():
            if task.node in drained and not task.ended:
                yield f"{task.id} is on {task.node}, which is drained"

    def _note(self, line: str) -> None:
        self.log.append(f"{anyio.current_time():9.3f} {line.replace(str(self._directory), '')}")


def campaign(seed: int, directory: Path) -> Campaign:
    """Run one campaign. What must not happen is raised with its seed, and with how it came to it."""
    one = Campaign(seed, directory)
    try:
        run_seeded(seed, one.run)
    except Exception as error:
        raise Violation("\n".join([*one.log[-400:], str(error), again(seed, "test_sim_legion.py")])) from error
    return one


def wide(most: int, name: str, random: Random) -> StackSpec:
    """A service whose replicas spread over the machines."""
    web = spec(
        "web", image=random.choice(WEB), replicas=random.randint(1, most), healthcheck=Healthcheck(("CMD", "true"))
    )
    return stack(web, name=name)


def base(name: str, random: Random) -> StackSpec:
    """A service that stays where its data is."""
    db = spec("db", image="db", mounts=(Mount("volume", "/data", "data"),))
    return stack(db, name=name, volumes={"data": VolumeSpec(f"{name}_data")})


def edge(name: str, random: Random) -> StackSpec:
    """A service for machines with a label."""
    return stack(spec("edge", image="cache", placement=Placement((f"node.labels.{EDGE} == yes",))), name=name)


def images() -> dict[str, FakeImage]:
    """The registry of all campaigns."""
    healthy = {
        name: FakeImage(pull_seconds=1.0, healthy_after=number / 2, stops_in=number / 2)
        for number, name in enumerate(WEB)
    }
    return {**simulation.images(), **healthy}
