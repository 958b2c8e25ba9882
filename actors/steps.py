"""The steps of one task: what is asked of the engine, and of the machine's other actors, to take each of them.

`cluster.execution` decides on a step; here it is done. What came of it is a value, a failure too.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio

from actors import protocol
from actors.gate import Gate
from actors.inventory import Inventory
from actors.sightings import never_ran
from cluster.assignment import Assignment
from cluster.configs import ConfigFile, named
from cluster.container import ContainerSpec
from cluster.containers import TASK, container_for
from cluster.execution import Create, Done, Pull, Remove, Start, Step, Stop, Wait
from cluster.registries import Trouble
from cluster.volumes import named_volumes
from engine.port import (
    AddressTaken,
    ContainerInfo,
    Engine,
    EngineError,
    EngineUnavailable,
    NameTaken,
    NotFound,
)
from supervisor.actor import Context
from supervisor.errors import ActorError
from supervisor.message import message

ASK_TIMEOUT = 3600.0
PROVISION_TIMEOUT = 120.0
# An engine says that a container died a moment before it lets go of its address, which the next attempt needs.
RELEASE_PAUSES = tuple(0.01 * 1.5**n for n in range(12))

log = logging.getLogger(__name__)


@message("task.stepped/1")
@dataclass(frozen=True, slots=True)
class Stepped:
    """A step is over: what it found, or why it failed."""

    kind: str
    container: str = ""
    name: str = ""
    attempt: int = 0
    image: str = ""
    seen: tuple[ContainerInfo, ...] = ()
    failure: str = ""
    trouble: Trouble = ""
    down: bool = False
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all tasks of a machine share. The last four are the addresses of the machine's other actors."""

    engine: Engine
    cluster: str
    gate: Gate
    clock: Callable[[], float]
    jitter: Callable[[], float]
    inventory: Inventory
    agent: str
    images: str
    provisions: str
    configs: str


class Steps:
    """Takes the steps of one task.

    The one thing that it remembers is which container it tried to start, lest that be started twice. The life after
    this one knows nothing of it and need not: what it finds made and never started it removes, without a try, and what
    was started shows that it was.
    """

    def __init__(self, task: str, around: Surroundings) -> None:
        self._id = task
        self._around = around
        self._tried = ""

    async def take(self, ctx: Context, step: Step, assignment: Assignment, afresh: bool) -> Stepped:
        """Take one step, and log it. `afresh`: look again for the networks and volumes that were there before."""
        taken = await self._outcome(ctx, step, assignment, afresh)
        task, failed = assignment.task, f" failed: {taken.failure}" if taken.failure else ""
        facts = {"task": task.id, "request": task.request}
        log.info("%s of %s%s", taken.kind.lower(), task.name, failed, extra={"facts": facts})
        return taken

    async def _outcome(self, ctx: Context, step: Step, assignment: Assignment, afresh: bool) -> Stepped:
        try:
            return await self._take(ctx, step, assignment, afresh)
        except EngineUnavailable as error:
            return Stepped(type(step).__name__, failure=str(error), down=True)
        except (EngineError, ActorError) as error:
            gone = isinstance(error, NotFound)
            return Stepped(type(step).__name__, failure=named(str(error), assignment.spec.configs), gone=gone)

    def _take(self, ctx: Context, step: Step, assignment: Assignment, afresh: bool) -> Awaitable[Stepped]:
        match step:
            case Pull():
                return self._pull(ctx, assignment)
            case Create(attempt):
                return self._create(ctx, assignment, attempt, afresh)
            case Start(container):
                return self._start_again(container) if container == self._tried else self._start(container)
            case Stop(container):
                return self._stop(container, assignment)
            case Remove(container):
                return self._remove(container)
            case Wait() | Done():
                raise AssertionError(f"{step} is nothing to do")

    async def _pull(self, ctx: Context, assignment: Assignment) -> Stepped:
        spec = assignment.spec
        wanted = protocol.WantImage(spec.reference, spec.pull_policy, self._id, assignment.task.stack, spec.platform)
        answer = await ctx.ref(self._around.images).ask(wanted, timeout=ASK_TIMEOUT)
        if isinstance(answer, protocol.Failed):
            return Stepped("Pull", failure=answer.reason, trouble=answer.trouble, down=answer.down)
        assert isinstance(answer, protocol.ImageHere)
        files = await self._configs(ctx, assignment)  # here before the one before this one stops, as the image is
        if isinstance(files, protocol.Failed):
            return Stepped("Pull", failure=files.reason, down=files.down)
        return Stepped("Pull", image=answer.id)

    async def _configs(self, ctx: Context, assignment: Assignment) -> dict[ConfigFile, str] | protocol.Failed:
        """Where the engine finds each file of the task's configs."""
        paths: dict[ConfigFile, str] = {}
        for file in assignment.spec.configs:
            answer = await ctx.ref(self._around.configs).ask(protocol.WantConfig(file), timeout=PROVISION_TIMEOUT)
            if isinstance(answer, protocol.Failed):
                return answer
            assert isinstance(answer, protocol.ConfigHere)
            paths[file] = answer.path
        return paths

    async def _create(self, ctx: Context, assignment: Assignment, attempt: int, afresh: bool) -> Stepped:
        known = self._around.inventory
        networks, volumes = known.networks, known.volumes(assignment.task.stack)
        used = named_volumes(assignment.spec)
        if not used <= volumes.keys():
            missing = ", ".join(sorted(used - volumes.keys()))
            return Stepped("Create", failure=f"its stack's file names no volume {missing} any more")
        wanted = protocol.WantProvisions(
            networks=tuple(networks[name] for name in assignment.task.addresses if name in networks),
            external=tuple(name for name in assignment.task.addresses if name not in networks),
            volumes=tuple(volumes[key] for key in sorted(used)),
            afresh=afresh,
        )
        answer = await ctx.ref(self._around.provisions).ask(wanted, timeout=PROVISION_TIMEOUT)
        if isinstance(answer, protocol.Failed):
            return Stepped("Create", failure=answer.reason, down=answer.down)
        files = await self._configs(ctx, assignment)
        if isinstance(files, protocol.Failed):
            return Stepped("Create", failure=files.reason, down=files.down)
        names = {key: volume.name for key, volume in volumes.items()}
        spec = container_for(assignment, attempt, self._around.cluster, networks, names, files)
        async with self._around.gate.pass_through(finishing=False):
            try:
                container = await self._around.engine.create(spec)
            except NameTaken:
                return await self._made_before(spec, attempt)
        return Stepped("Create", container=container, name=spec.name, attempt=attempt)

    async def _made_before(self, spec: ContainerSpec, attempt: int) -> Stepped:
        """This very attempt was made before, by a gbnt that was killed before it heard of it.

        If it was not started it may have been killed half way, with networks missing: it is made again.
        """
        engine = self._around.engine
        known = await engine.container(spec.name)
        if known is not None and known.labels.get(TASK) != self._id:
            raise NameTaken(f"a container {spec.name} is there already and not this task's: remove it")
        if known is not None and not never_ran(known):
            return Stepped("Create", seen=(known,))
        if known is not None:
            await engine.remove(known.id)
        return Stepped("Create", container=await engine.create(spec), name=spec.name, attempt=attempt)

    async def _start(self, container: str) -> Stepped:
        self._tried = container
        for pause in RELEASE_PAUSES:
            try:
                return await self._start_once(container)
            except AddressTaken:
                await anyio.sleep(pause)
        return await self._start_once(container)

    async def _start_again(self, container: str) -> Stepped:
        """The try before this one, in this life, may have been done though nobody heard: no attempt is started twice.

        What an engine could not start, or was stopped over, it may never be able to start: it is made anew.
        """
        seen = await self._around.engine.container(container)
        if seen is not None and seen.state == "created":
            await self._around.engine.remove(container)
            return Stepped("Remove", container=container)
        return Stepped("Start", seen=(seen,) if seen else ())

    async def _start_once(self, container: str) -> Stepped:
        async with self._around.gate.pass_through(finishing=True):
            await self._around.engine.start(container)
        seen = await self._around.engine.container(container)
        return Stepped("Start", seen=(seen,) if seen else ())

    async def _stop(self, container: str, assignment: Assignment) -> Stepped:
        await self._around.engine.stop(container, assignment.spec.stop_grace_period)
        seen = await self._around.engine.container(container)
        return Stepped("Stop", seen=(seen,) if seen else ())

    async def _remove(self, container: str) -> Stepped:
        engine = self._around.engine
        every = [container] if container else [info.id for info in await engine.containers({TASK: self._id})]
        for one in every:
            await engine.remove(one)
        return Stepped("Remove", container=container)
