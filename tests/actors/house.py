"""One machine with gbnt on it: its engine and disk outlive gbnt, whose lives may end as by kill -9."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from random import Random

import anyio

from actors import protocol
from actors.configs import Unplaced
from actors.keyring import Unopened
from actors.machine import Machine
from actors.manager_tree import Parts, tree
from actors.resolver import Standing
from actors.snapshots import Shelf
from cluster.audit import Caller, Deed
from cluster.configs import ConfigFile
from cluster.model import RegistryLogin, State, Task
from cluster.registries import Credential, login_key
from cluster.zones import Zones
from engine.fake import FakeEngine
from store.contract import SnapshotInfo, Store, StoreError
from store.sqlite import SqliteStore
from supervisor.dead_letters import DeadLetter
from supervisor.errors import ActorError, SupervisionError
from supervisor.inspection import ActorInfo
from supervisor.system import System
from transport.codec import JsonCodec

NODE, CLUSTER = "n1", "legion"
PATIENCE = 600.0
LOOK_EVERY = 0.1


def time_of_day() -> float:
    """Virtual seconds since an epoch long past, so that no time in a test looks like "never"."""
    return 1_000_000.0 + anyio.current_time()


@dataclass(slots=True)
class Files:
    """A folder of configs in memory; `written` counts the writes, and `refuses` is why it takes none."""

    contents: dict[str, bytes] = field(default_factory=dict)
    written: int = 0
    refuses: str = ""

    async def find(self, file: ConfigFile) -> str:
        return f"/configs/{file.file_name}" if file.file_name in self.contents else ""

    async def put(self, file: ConfigFile, content: bytes) -> None:
        await anyio.sleep(0.01)
        if self.refuses:
            raise Unplaced(self.refuses)
        self.contents[file.file_name] = content
        self.written += 1

    async def keep(self, names: Collection[str]) -> None:
        self.contents = {name: content for name, content in self.contents.items() if name in names}


@dataclass(slots=True)
class Names:
    """A resolver that runs and remembers what it was told last."""

    zones: Zones = field(default_factory=Zones)

    async def ensure(self) -> Standing:
        return Standing(self.zones.serial)

    async def publish(self, zones: Zones) -> None:
        self.zones = zones


class GlassVault:
    """A vault that everybody can look into, and whose `key` may be lost."""

    def __init__(self) -> None:
        self.key = "glass"

    def seal(self, registry: str, stack: str, credential: Credential) -> str:
        return "|".join((self.key, login_key(registry, stack), credential.username, credential.password))

    def lock(self, place: str, text: str) -> str:
        return "|".join((self.key, place, text))

    def unlock(self, place: str, sealed: str) -> str:
        key, where, text = sealed.split("|", 2)
        if (key, where) != (self.key, place):
            raise Unopened(f"{place} was sealed by another key")
        return text

    def open(self, login: RegistryLogin) -> Credential:
        key, place, username, password = login.sealed.split("|")
        if (key, place) != (self.key, login.key):
            raise Unopened(f"the sign-in to {login.registry} was sealed by another key")
        return Credential(username, password)


class BareShelf:
    """A place for snapshots that has no room."""

    async def create(self) -> SnapshotInfo:
        raise StoreError("this machine keeps no snapshots")

    async def list(self) -> list[SnapshotInfo]:
        return []


class Life:
    """One life of gbnt, from its start to its end or its kill."""

    def __init__(self, system: System, store: Store) -> None:
        self.system = system
        self.store = store
        self.killed = False

    async def run(self, parts: Parts) -> None:
        """Until it ends. Raises where the root gives up, unless it was killed: then nobody is there to tell."""
        try:
            await self.system.run(tree(parts))
        except SupervisionError:
            if not self.killed:
                raise

    async def ask(self, command: object, *, path: str = "senate") -> object:
        """The answer to one try."""
        return await self.system.ref(path).ask(command, timeout=30.0)

    async def order(self, command: object) -> protocol.Accepted:
        """What the command came to; a refusal fails the test."""
        await self.state()
        answer = await self.ask(command)
        assert isinstance(answer, protocol.Accepted), answer
        return answer

    async def state(self) -> State:
        """The cluster's state, once the Senate is there to tell."""
        while True:
            try:
                answer = await self.ask(protocol.GetState())
            except ActorError:
                await anyio.sleep(LOOK_EVERY)
                continue
            assert isinstance(answer, State)
            return answer

    async def until(self, reached: Callable[[State], object], within: float = PATIENCE) -> State:
        """The first state seen that is as wanted. Fails after so many virtual seconds, with how the tasks stand."""
        state = await self.state()
        deadline = anyio.current_time() + within
        while not reached(state):
            assert anyio.current_time() < deadline, story(state)
            await anyio.sleep(LOOK_EVERY)
            state = await self.state()
        return state

    async def eventually(self, reached: Callable[[], object], within: float = PATIENCE) -> None:
        """Wait for what no state shows. Fails after so many virtual seconds."""
        with anyio.fail_after(within):
            while not reached():
                await anyio.sleep(LOOK_EVERY)

    async def events(self) -> list[str]:
        """Every event so far, each as `kind subject: message`."""
        answer = await self.ask(protocol.GetEvents(0, 100_000))
        assert isinstance(answer, protocol.Events)
        return [f"{event.kind} {event.subject}: {event.message}" for event in answer.events]

    def actor(self, path: str) -> ActorInfo:
        """The actor that lives there."""
        return self.system.inspect(path)[0]

    def kill(self) -> None:
        """End everything at once: no actor cleans up, and nothing that waits is done."""
        self.killed = True
        for info in self.system.inspect():
            cell = self.system.cell(info.address.path)
            if cell is not None:
                cell.kill()


@dataclass(slots=True)
class House:
    """What outlives gbnt on a machine. `open_store` opens what is on its disk; `letters` are all dead letters."""

    engine: FakeEngine
    open_store: Callable[[], Awaitable[Store]]
    random: Random = field(default_factory=lambda: Random(1))
    names: Names = field(default_factory=Names)
    files: Files = field(default_factory=Files)
    shelf: Shelf = field(default_factory=BareShelf)
    vault: GlassVault = field(default_factory=GlassVault)
    letters: list[DeadLetter] = field(default_factory=list)
    boots: Callable[[], int] = field(default_factory=lambda: partial(next, count(1)))

    def clock(self) -> float:
        """The machine's time of day, which its engine has too."""
        return time_of_day() + self.engine.skew

    @asynccontextmanager
    async def life(self) -> AsyncIterator[Life]:
        """Start gbnt here; when the block ends it stops in order, unless it was killed."""
        store = await self.open_store()
        system = System(
            "rome-1", codec=JsonCodec(), clock=self.clock, dead_letter_log=lambda letter, _: self._lost(letter)
        )
        try:
            async with anyio.create_task_group() as group:
                life = Life(system, store)
                group.start_soon(life.run, self._parts(store))
                yield life
                system.stop()
        except BaseExceptionGroup as errors:
            # A failed assertion is shown as itself.
            raise errors.exceptions[0] if len(errors.exceptions) == 1 else errors from None
        finally:
            with anyio.CancelScope(shield=True):
                await store.close()

    def _lost(self, letter: DeadLetter) -> None:
        self.letters.append(letter)

    def _parts(self, store: Store) -> Parts:
        return Parts(
            machine=Machine(NODE, "rome", "192.0.2.7", CLUSTER, f"boot{self.boots()}"),
            store=store,
            engine=self.engine,
            resolver=self.names,
            configs=self.files,
            shelf=self.shelf,
            vault=self.vault,
            clock=self.clock,
            random=self.random,
        )


def house_at(directory: Path, engine: FakeEngine | None = None) -> House:
    """A house whose disk is a directory."""
    return House(engine or FakeEngine(time_of_day), partial(SqliteStore.open, directory / "state.db", threaded=False))


def by(request: str, command: object) -> protocol.Asked:
    """A command as the API asks for it, with the id of its request."""
    return protocol.Asked(command, Deed(Caller("ci", "admin", request=request), "tests.order"))


def story(state: State) -> str:
    """How every machine, service and task stands, in lines."""
    return "\n".join(
        [
            *(f"{node.name} {node.status}: {node.message}" for node in state.nodes.values()),
            *(f"{one.key} {one.replicas} {one.update}: {one.update_message}" for one in state.services.values()),
            *(f"{task.name} {task.id} {task.desired} {task.state}: {task.message}" for task in of(state)),
        ]
    )


def of(state: State, service: str = "") -> list[Task]:
    """All tasks by name and age, or those of one service (`stack/name`)."""
    tasks = (task for task in state.tasks.values() if service in ("", task.service_key))
    return sorted(tasks, key=lambda task: (task.name, task.created_at, task.id))


def serving(service: str, replicas: int = 1) -> Callable[[State], bool]:
    """Whether exactly so many tasks of a service serve."""
    return lambda state: sum(task.serving for task in of(state, service)) == replicas
