"""One machine with everything against it: what happens follows from a seed alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

import anyio

from actors import protocol
from cluster.model import State
from engine.fake import FakeImage
from engine.port import EngineError
from supervisor.address import Address
from supervisor.errors import ActorError, NoSuchActor
from tests.actors.house import CLUSTER, House, Life, story
from tests.sim.customer import WEB, Customer
from tests.sim.luck import Killed, Luck, SlowStore, WitnessedEngine
from tests.sim.scheduling import run_seeded
from tests.sim.seeds import again
from tests.sim.witness import Violation, Witness, complaints, settle, unsettled

ORDERS = 4
TROUBLE, SETTLES_WITHIN = 120.0, 300.0
SENATE = Address("rome-1", "senate")
LABELS = {"gbnt.cluster": CLUSTER}


class Simulation:
    """Run once. `log` tells what happened, in order, with virtual times."""

    def __init__(self, seed: int, directory: Path) -> None:
        chances = Random(seed)
        self.log: list[str] = []
        self._directory = str(directory)
        self._random = Random(chances.random())
        self._luck = Luck(
            Random(chances.random()),
            before=chances.choice((0.0, 0.02, 0.1)),
            after=chances.choice((0.0, 0.02, 0.1)),
            slow=chances.choice((0.0, 0.1, 0.5)),
            slowest=chances.choice((0.1, 1.0, 5.0)),
            stream=chances.choice((0.0, 0.02, 0.1)),
            broken=chances.choice((0.0, 0.0, 0.01)),
            bad_commit=chances.choice((0.0, 0.02, 0.1)),
            kill=self._kill,
        )
        self._witness = Witness(self._note)
        self._engine = WitnessedEngine(self._luck, self._witness.see)
        self._engine.images.update(images())
        self._house = House(self._engine, partial(self._open_store, directory / "state.db"), Random(chances.random()))
        self._customers = [Customer(name, Random(chances.random()), self._ask, self._note) for name in ("shop", "blog")]
        self._life: Life | None = None
        self._killed = anyio.Event()
        self._over = False

    async def run(self) -> None:
        """Let the customers order while all goes wrong, then wait until all is as ordered. Raises what must not be."""
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._go_wrong)
                group.start_soon(self._live)
                with anyio.fail_after(TROUBLE + SETTLES_WITHIN):
                    async with anyio.create_task_group() as customers:
                        for customer in self._customers:
                            customers.start_soon(customer.order, ORDERS)
                self._calm_down()
                await self._settle()
                group.cancel_scope.cancel()
        except BaseExceptionGroup as errors:
            raise _first(errors) from None

    # -- what goes wrong -------------------------------------------------------------------------------------------

    async def _go_wrong(self) -> None:
        mishaps: list[Callable[[], object]] = [
            self._light_fuse,
            self._light_fuse,
            self._kill,
            self._engine.break_streams,
            self._crash_engine,
            self._end_a_container,
            self._end_a_container,
            self._sicken_a_container,
            self._take_a_port,
            self._set_the_clock,
            self._hang_engine,
        ]
        while not self._over:
            await anyio.sleep(self._random.uniform(0.2, 6.0))
            if anyio.current_time() > TROUBLE:
                self._calm_down()
            if not self._over:
                mishap = self._random.choice(mishaps)
                self._note(f"-- {mishap.__name__.strip('_')}")
                mishap()
            if not self._engine.running and self._random.random() < 0.5:
                self._engine.restart()
            if self._engine.hangs and self._random.random() < 0.2:
                self._engine.wake()
            if self._random.random() < 0.1 and not self._engine.hangs:
                await self._remove_a_container()

    def _light_fuse(self) -> None:
        self._luck.fuse = self._random.randint(1, 60)

    def _kill(self) -> None:
        if self._life is not None:
            self._note("-- killed")
            self._life.kill()
            self._killed.set()

    def _crash_engine(self) -> None:
        self._engine.crash()

    def _hang_engine(self) -> None:
        self._engine.hang()

    def _end_a_container(self) -> None:
        running = [one.id for one in self._engine.present() if one.running]
        if running:
            self._engine.exit(self._random.choice(running), self._random.choice((0, 1, 137)))

    def _sicken_a_container(self) -> None:
        checked = [one.id for one in self._engine.present() if one.running and one.health]
        if checked:
            self._engine.set_health(self._random.choice(checked), self._random.choice(("unhealthy", "healthy")))

    async def _remove_a_container(self) -> None:
        present = self._engine.present()
        if not present:
            return
        chosen = self._random.choice(present)
        self._witness.forgive(chosen.spec.labels)
        try:
            await self._engine.remove(chosen.id)
        except (EngineError, Killed, RuntimeError):
            pass  # the person at the keyboard sees it fail too

    def _take_a_port(self) -> None:
        self._engine.held_ports.add(self._random.randint(8000, 8004))

    def _set_the_clock(self) -> None:
        self._engine.set_clock(self._random.choice((-3600.0, -10.0, 10.0, 3600.0)))

    def _calm_down(self) -> None:
        if not self._over:
            self._note("-- all is calm from here on")
        self._over = True
        self._luck.calm_down()
        self._engine.held_ports.clear()
        self._engine.wake()
        if not self._engine.running:
            self._engine.restart()

    # -- gbnt ------------------------------------------------------------------------------------------------------

    async def _live(self) -> None:
        """One life after the other."""
        while True:
            self._killed = anyio.Event()
            self._note("-- gbnt begins")
            async with self._house.life() as life:
                self._life = life
                await self._killed.wait()
            self._life = None
            if not self._over and self._random.random() < 0.5:
                await anyio.sleep(self._random.uniform(0.0, 20.0))

    async def _open_store(self, path: Path) -> SlowStore:
        store = await SlowStore.open(path, threaded=False, fault=self._luck.commit_point)
        store.luck = self._luck
        return store

    async def _ask(self, command: object) -> object:
        if self._life is None:
            raise NoSuchActor(SENATE)
        return await self._life.ask(command)

    # -- what must hold --------------------------------------------------------------------------------------------

    async def _settle(self) -> None:
        await settle(self._unsettled, SETTLES_WITHIN, 1.0)
        assert self._life is not None
        events = await self._life.events()
        wrong = self._witness.violations + complaints(self._engine, self._house.letters, events)
        if wrong:
            raise Violation("\n".join(wrong))

    async def _unsettled(self) -> list[str]:
        try:
            state = await self._ask(protocol.GetState())
        except ActorError:
            return ["gbnt does not answer"]
        assert isinstance(state, State)
        for customer in self._customers:
            customer.check(state)
        containers = list(await self._engine.containers(LABELS))
        networks = {info.name for info in await self._engine.networks(LABELS)}
        missing = unsettled(state, containers, networks, self._customers)
        return [*missing, story(state)] if missing else []

    def _note(self, line: str) -> None:
        self.log.append(f"{anyio.current_time():9.3f} {line.replace(self._directory, '')}")


def simulate(seed: int, directory: Path) -> Simulation:
    """Run one simulation. What must not happen is raised with its seed, and with how it came to it."""
    simulation = None

    async def main() -> None:
        nonlocal simulation
        simulation = Simulation(seed, directory)
        await simulation.run()

    try:
        run_seeded(seed, main)
    except Exception as error:
        lines = simulation.log[-400:] if simulation else []
        raise Violation("\n".join([*lines, str(error), again(seed, "test_sim_node.py")])) from error
    assert simulation is not None
    return simulation


def _first(error: BaseException) -> BaseException:
    """The first exception of a group of groups: the one that the others were cancelled for."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def images() -> dict[str, FakeImage]:
    """The registry of all simulations."""
    return {
        **{name: FakeImage(pull_seconds=2.0, stops_in=0.5) for name in WEB},
        "db": FakeImage(pull_seconds=1.0, healthy_after=1.5, stops_in=1.0),
        "job": FakeImage(pull_seconds=1.0, runs_for=2.0),
        "cache": FakeImage(pull_seconds=0.5, stops_in=None),
    }
