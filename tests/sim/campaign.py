"""A legion with everything against it: machines are cut off, killed, drained and removed, as a seed has it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from random import Random

import anyio

from actors import protocol
from actors.senate import Senate
from cluster.containers import TASK
from cluster.model import Node, State, Task
from cluster.moves import emptied
from cluster.spec import Healthcheck, Mount, StackSpec, VolumeSpec
from engine.fake import FakeImage
from engine.faults import Faults
from engine.port import ContainerState, EngineEvent
from supervisor.errors import ActorError
from tests.actors.house import story
from tests.actors.legion import MANAGER, Legion
from tests.cluster.build import spec, stack
from tests.sim.luck import WitnessedEngine
from tests.sim.scheduling import run_seeded
from tests.sim.witness import Violation
from transport.memory import Faults as LineFaults

TROUBLE, SETTLES_WITHIN = 45.0, 400.0
LIVE: frozenset[ContainerState] = frozenset({"running", "paused"})
WEB = "shop/web"


class Campaign:
    """Run once. `log` tells what happened, in order, with virtual times."""

    def __init__(self, seed: int, directory: Path) -> None:
        chances = Random(seed)
        self.log: list[str] = []
        self._random = Random(chances.random())
        self._customer = Random(chances.random())
        self._legion = Legion(directory, chances.randrange(1_000_000), strict=False)
        self._luck: list[Faults] = []
        self._lines = LineFaults(chances.choice((0.0, 0.02, 0.1)), chances.choice((0.0, 0.05)), delay=(0.0, 0.2))
        self._workers = [f"rome-{number}" for number in range(2, 2 + chances.randint(2, 7))]
        for name in (MANAGER, *self._workers):
            faults = Faults(
                Random(chances.random()),
                before=chances.choice((0.0, 0.02)),
                after=chances.choice((0.0, 0.02)),
                slow=chances.choice((0.0, 0.3)),
                stream=chances.choice((0.0, 0.02)),
            )
            self._luck.append(faults)
            engine = WitnessedEngine(faults, self._witness(name))
            engine.images.update(images())
            self._legion.home(name, engine)
        self._violations: list[str] = []
        self._overlapping: list[set[str]] = []
        self._wanted: dict[str, int] = {"web": 0}
        self._image = ""
        self._forced = 0
        self._number = 0

    async def run(self) -> None:
        """Let orders and mishaps come for a while, then wait until all is as ordered. Raises what must not be."""
        legion = self._legion
        try:
            async with legion.network, anyio.create_task_group() as group:
                legion.group = group
                for name in (MANAGER, *self._workers):
                    await legion.start(name)
                legion.network.faults = self._lines
                with anyio.fail_after(TROUBLE + SETTLES_WITHIN):
                    async with anyio.create_task_group() as both:
                        both.start_soon(self._order)
                        both.start_soon(self._go_wrong)
                    removed, drained = await self._say_goodbye()
                await self._settle(removed, drained)
                for name in list(legion.members):
                    await legion.kill(name)
                group.cancel_scope.cancel()
        except BaseExceptionGroup as errors:
            error: BaseException = errors
            while isinstance(error, BaseExceptionGroup):
                error = error.exceptions[0]
            raise error from None

    # -- what goes wrong -------------------------------------------------------------------------------------------

    async def _go_wrong(self) -> None:
        mishaps: list[Callable[[str], Awaitable[None]]] = [
            self._cut,
            self._cut,
            self._heal,
            self._kill,
            self._kill,
            self._stop,
            self._break_line,
            self._crash_engine,
            self._end_a_container,
            self._change_mind,
        ]
        while anyio.current_time() < TROUBLE:
            await anyio.sleep(self._random.uniform(0.2, 6.0))
            for name in [*self._workers, MANAGER]:
                if name not in self._legion.members and self._random.random() < 0.3:
                    await self._start(name)
                engine = self._legion.homes[name].engine
                if not engine.running and self._random.random() < 0.5:
                    engine.restart()
            mishap, name = self._random.choice(mishaps), self._random.choice([MANAGER, *self._workers])
            self._note(f"-- {mishap.__name__.strip('_')} {name}")
            await mishap(name)
        await self._calm_down()

    async def _start(self, name: str) -> None:
        self._note(f"-- start {name}")
        await self._legion.start(name)

    async def _cut(self, name: str) -> None:
        self._legion.part(name)

    async def _heal(self, name: str) -> None:
        for one in self._workers:
            self._legion.join(one)

    async def _kill(self, name: str) -> None:
        await self._legion.kill(name)

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

    async def _change_mind(self, name: str) -> None:
        availability = self._random.choice(("active", "active", "pause", "drain"))
        try:
            await self._ask(protocol.UpdateNode(name, availability))
        except ActorError:
            pass

    async def _calm_down(self) -> None:
        self._note("-- all is calm from here on")
        self._legion.network.faults = LineFaults()
        for faults in self._luck:
            faults.before = faults.after = faults.slow = faults.stream = 0.0
        for name in (MANAGER, *self._workers):
            self._legion.join(name)
            if not self._legion.homes[name].engine.running:
                self._legion.homes[name].engine.restart()
            if name not in self._legion.members:
                await self._start(name)

    async def _say_goodbye(self) -> tuple[str, str]:
        """One machine is removed and another one drained for good; all others are to be used."""
        removed, drained = self._random.sample(self._workers, 2)
        for name in (MANAGER, *self._workers):
            await self._insist(protocol.UpdateNode(name, "drain" if name == drained else "active"))
        self._note(f"-- {removed} goes, {drained} is drained")
        await self._legion.kill(removed)
        await self._legion.dismiss(removed)
        await self._insist(protocol.RemoveNode(removed, force=True))
        return removed, drained

    # -- what is ordered -------------------------------------------------------------------------------------------

    async def _order(self) -> None:
        await self._insist(protocol.DeployStack(self._data(), self._request()))
        await self._deploy()
        for _ in range(6):
            await anyio.sleep(self._customer.uniform(0.0, 12.0))
            choice = self._customer.random()
            if choice < 0.4:
                await self._deploy()
            elif choice < 0.7:
                self._wanted["web"] = self._customer.randint(1, 6)
                await self._insist(protocol.ScaleService(WEB, self._wanted["web"], self._request()))
            else:
                await self._insist(protocol.UpdateService(WEB, force=True, request=self._request()))
                self._forced += 1

    async def _deploy(self) -> None:
        self._image, self._wanted["web"] = self._customer.choice(("web:1", "web:2")), self._customer.randint(1, 6)
        await self._insist(protocol.DeployStack(self._file(), self._request()))

    def _data(self) -> StackSpec:
        db = spec("db", image="db", mounts=(Mount("volume", "/data", "data"),))
        return stack(db, name="base", volumes={"data": VolumeSpec("base_data")})

    def _file(self) -> StackSpec:
        web = spec("web", image=self._image, replicas=self._wanted["web"], healthcheck=Healthcheck(("CMD", "true")))
        return stack(web)

    def _request(self) -> str:
        self._number += 1
        return f"order-{self._number}"

    async def _ask(self, command: object) -> object:
        member = self._legion.members.get(MANAGER)
        if member is None:
            raise ActorError("the manager is not there")
        return await member.ask(command)

    async def _insist(self, command: object) -> None:
        self._note(f"order {command}")
        while True:
            try:
                answer = await self._ask(command)
            except ActorError:
                await anyio.sleep(0.5)
                continue
            if isinstance(answer, protocol.Accepted):
                self._note("accepted")
                return
            assert isinstance(answer, protocol.Refused)
            known = answer.code in ("unavailable", "unknown") or "there is no node" in answer.message
            assert known, f"{command} was refused: {answer.message}"
            if "there is no node" in answer.message and isinstance(command, protocol.RemoveNode):
                return
            await anyio.sleep(0.5)

    # -- what must hold --------------------------------------------------------------------------------------------

    def _witness(self, name: str) -> Callable[[EngineEvent], None]:
        def see(event: EngineEvent) -> None:
            label = event.labels.get
            self._note(f"{name}: {event.action} {label('gbnt.service')}-{label('gbnt.slot')} {label(TASK)}")
            if event.action == "start":
                self._look(name, event)

        return see

    def _look(self, name: str, event: EngineEvent) -> None:
        """At the moment of a start: no slot has two live containers that the manager believes in."""
        state = self._believed()
        if state is None:
            return
        live: dict[tuple[str, int], set[str]] = {}
        for node in state.nodes.values():
            if node.status != "ready" or not self._legion.homes[node.id].engine.running:
                continue
            for container in self._legion.homes[node.id].containers():
                task = state.tasks.get(container.spec.labels[TASK])
                if container.running and task is not None and task.node == node.id:
                    live.setdefault((task.service_key, task.slot), set()).add(task.id)
        for slot, tasks in live.items():
            if len(tasks) < 2 or tasks in self._overlapping:
                continue
            if self._moves(state, [state.tasks[id] for id in tasks]):
                self._overlapping.append(tasks)  # and still does when a person has other ideas in the midst of it
            else:
                self._violations.append(f"{slot} has {len(tasks)} live containers after {name} started {event.labels}")

    def _moves(self, state: State, tasks: list[Task]) -> bool:
        """Whether one takes the other's place, and both may run for a while."""
        leaving = [one for one in tasks if one.node in emptied(state.nodes.values()) or one.why.startswith("moved")]
        return len(tasks) - len(leaving) <= 1 and all(task.service != "db" for task in tasks)

    def _believed(self) -> State | None:
        member = self._legion.members.get(MANAGER)
        cell = member.system.actor("senate") if member is not None else None
        return cell.actor._state if cell is not None and isinstance(cell.actor, Senate) else None

    async def _settle(self, removed: str, drained: str) -> None:
        deadline = anyio.current_time() + SETTLES_WITHIN
        while missing := await self._unsettled(removed, drained):
            if anyio.current_time() > deadline:
                raise Violation("\n".join(["bad luck is over, and still:", *missing]))
            await anyio.sleep(2.0)
        events = await self._legion.manager.events()
        wrong = [event for event in events if event.startswith("task.illegal")] + self._violations
        for home in self._legion.homes.values():
            wrong += home.engine.violations
        if wrong:
            raise Violation("\n".join(wrong))

    async def _unsettled(self, removed: str, drained: str) -> list[str]:
        try:
            state = await self._ask(protocol.GetState())
        except ActorError:
            return ["the manager does not answer"]
        assert isinstance(state, State)
        web = state.services[WEB]
        known = (web.spec.image, web.replicas, web.generation)
        ordered = (self._image, self._wanted["web"], self._forced)
        assert known == ordered, f"web is {known} and was ordered to be {ordered}"
        missing = [*self._services(state, drained), *self._machines(state, removed, drained)]
        return [*missing, story(state)] if missing else []

    def _services(self, state: State, drained: str) -> Iterator[str]:
        homes = self._legion.homes
        running = Counter(
            (one.spec.labels["gbnt.service"], int(one.spec.labels["gbnt.slot"]))
            for name in state.nodes
            for one in homes[name].containers()
            if one.running
        )
        expected = {("web", slot): 1 for slot in range(1, self._wanted["web"] + 1)} | {("db", 1): 1}
        if not self._holds_data(state):
            expected = {key: count for key, count in expected.items() if key[0] != "db"}
            running = Counter({key: count for key, count in running.items() if key[0] != "db"})
        if running != Counter(expected):
            yield f"{dict(running)} run and {expected} should"
        for slot in (slot for service, slot in expected if service == "web"):
            tasks = [
                one for one in state.tasks.values() if (one.service_key, one.slot, one.desired) == (WEB, slot, "run")
            ]
            if len(tasks) != 1 or not tasks[0].serving:
                yield f"slot {slot} has {len(tasks)} wanted tasks, or it does not serve"

    def _holds_data(self, state: State) -> bool:
        """Whether the machine with the volume is to be used: where it is not, the task rightly waits."""
        holders = [node for node in state.nodes.values() if "base_data" in node.volumes]
        return not holders or any(node.availability == "active" for node in holders)

    def _machines(self, state: State, removed: str, drained: str) -> Iterator[str]:
        nodes: dict[str, Node] = dict(state.nodes)
        if removed in nodes:
            yield f"{removed} was removed and is there"
        if {node.status for node in nodes.values()} != {"ready"}:
            yield "not every machine is ready"
        for task in state.tasks.values():
            if task.node == removed and not task.ended:
                yield f"{task.id} is on {removed}, which was removed"
            if task.node == drained and not task.ended and task.service != "db":
                yield f"{task.id} is on {drained}, which is drained"
            if task.state == "lost":
                yield f"{task.id} is lost and still remembered"

    def _note(self, line: str) -> None:
        self.log.append(f"{anyio.current_time():9.3f} {line}")


def campaign(seed: int, directory: Path) -> Campaign:
    """Run one campaign. What must not happen is raised with its seed, and with how it came to it."""
    one = Campaign(seed, directory)
    try:
        run_seeded(seed, one.run)
    except Exception as error:
        hashes = os.environ.get("PYTHONHASHSEED", "random")
        lines = [*one.log[-300:], repr(error), f"SIM_SEED={seed} PYTHONHASHSEED={hashes}"]
        raise Violation("\n".join(lines)) from error
    return one


def images() -> dict[str, FakeImage]:
    """The registry of all campaigns."""
    return {
        "web:1": FakeImage(pull_seconds=1.0, healthy_after=1.0, stops_in=0.5),
        "web:2": FakeImage(pull_seconds=2.0, healthy_after=0.5, stops_in=2.0),
        "db": FakeImage(pull_seconds=1.0, stops_in=1.0),
    }
