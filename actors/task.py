"""One task on one machine: brings its container about, watches it, and says how it stands.

It looks, decides (`cluster.execution`), takes one step, and looks again. All it knows it can read from its assignment
and from the engine, so that a new incarnation, or a new gbnt, goes on where the last one was.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import anyio

from actors import protocol
from actors.inventory import Inventory
from actors.sightings import Sightings, never_ran
from cluster.assignment import Assignment, Observation
from cluster.container import ContainerSpec
from cluster.containers import TASK, container_for
from cluster.execution import Create, Done, Pull, Remove, Situation, Start, Step, Stop, Verdict, Wait, decide
from cluster.model import ENDED
from engine.port import (
    AddressTaken,
    ContainerInfo,
    Engine,
    EngineError,
    EngineEvent,
    EngineUnavailable,
    NameTaken,
    NotFound,
)
from supervisor.actor import Actor, Context
from supervisor.errors import ActorError
from supervisor.message import message

STEP, RETRY = "step", "retry"
ASK_TIMEOUT = 3600.0
PROVISION_TIMEOUT = 120.0
MAX_RETRY = 60.0
# An engine says that a container died a moment before it lets go of its address, which the next attempt needs.
RELEASE_PAUSES = tuple(0.01 * 1.5**n for n in range(12))


@message("task.stepped/1")
@dataclass(frozen=True, slots=True)
class Stepped:
    """A step is over: what it found, or why it failed. From the actor to itself."""

    kind: str
    container: str = ""
    name: str = ""
    attempt: int = 0
    image: str = ""
    seen: tuple[ContainerInfo, ...] = ()
    failure: str = ""
    down: bool = False
    gone: bool = False


@message("task.retry/1")
@dataclass(frozen=True, slots=True)
class Retry:
    """A timer's tick: what the decision waited for is over."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all tasks of a machine share. The last three are the addresses of the machine's other actors."""

    engine: Engine
    cluster: str
    limiter: anyio.CapacityLimiter
    clock: Callable[[], float]
    jitter: Callable[[], float]
    inventory: Inventory
    agent: str
    images: str
    provisions: str


class TaskActor(Actor):
    """The life of one task's containers on this machine."""

    mailbox_size: ClassVar[int] = 1000

    def __init__(self, task: str, around: Surroundings) -> None:
        self._id = task
        self._around = around
        self._assignment: Assignment | None = None
        self._waiting_for = ""
        self._sightings: Sightings | None = None
        self._image = ""
        self._failure = ""
        self._failures = 0
        self._retry_at = 0.0
        self._stopping = ""
        self._afresh = False
        self._tried = ""
        self._busy: Step | None = None
        self._sequence = 0
        self._said: Observation | None = None
        self._done = False
        self._born = around.clock()

    async def started(self, ctx: Context) -> None:
        """Ask the agent for the assignment."""
        ctx.ref(self._around.agent).tell(protocol.TaskBorn(self._id))

    async def receive(self, message: object, ctx: Context) -> None:
        """Take in what happened, then take the next step if none is under way."""
        match message:
            case protocol.Take(assignment, waiting_for):
                self._take(assignment, waiting_for)
            case protocol.Containers():
                self._look(message, ctx)
            case protocol.Happened(event):
                self._hear(event, ctx)
            case protocol.EngineGone() if self._sightings is not None and not self._done:
                self._sightings.engine_gone()
            case Stepped():
                self._stepped(message, ctx)
        self._advance(ctx)

    def _take(self, assignment: Assignment, waiting_for: str) -> None:
        if self._assignment is None:
            self._sequence = assignment.task.sequence
        elif assignment.task.desired != self._assignment.task.desired:
            self._failure, self._failures, self._retry_at = "", 0, 0.0
        self._assignment, self._waiting_for = assignment, waiting_for
        self._done = False

    def _look(self, found: protocol.Containers, ctx: Context) -> None:
        if self._assignment is None or found.at < self._born:
            return  # what the life before this one did since then is not in it
        if self._sightings is None:
            self._sightings = Sightings(self._assignment.task)
        never_started = self._sightings.listed(found.containers, found.at)
        if never_started and not isinstance(self._busy, Create):
            ctx.spawn("tidy", self._prune, never_started)
        self._retry_at = 0.0  # the engine answers: nothing is gained by waiting

    def _hear(self, event: EngineEvent, ctx: Context) -> None:
        sightings = self._sightings
        if sightings is not None and sightings.happened(event, self._stopping) and not isinstance(self._busy, Start):
            ctx.spawn("look", self._look_closer)  # somebody else started it

    # -- deciding --------------------------------------------------------------------------------------------------

    def _advance(self, ctx: Context) -> None:
        assignment, sightings = self._assignment, self._sightings
        if assignment is None or sightings is None or self._done:
            return
        verdict = decide(self._situation(assignment, sightings))
        if self._busy is not None and (not isinstance(self._busy, Pull) or isinstance(verdict.step, Pull)):
            if verdict.state not in ENDED:  # what is under way may still bring a container up
                self._say(verdict, sightings, ctx)
            return
        self._say(verdict, sightings, ctx)
        if self._busy is not None:
            ctx.cancel(STEP)
            self._busy = None
        ctx.timers.cancel(RETRY)
        match verdict.step:
            case Wait(until):
                if until is not None:
                    ctx.timers.start(RETRY, max(0.01, until - self._around.clock()), Retry())
            case Done():
                self._done = True
            case step:
                self._busy = step
                if isinstance(step, Stop):
                    self._stopping = step.reason
                ctx.spawn(STEP, partial(self._take_step, ctx), step, assignment)

    def _situation(self, assignment: Assignment, sightings: Sightings) -> Situation:
        return Situation(
            assignment=assignment,
            seen=sightings.newest,
            now=self._around.clock(),
            jitter=self._around.jitter(),
            image_ready=bool(self._image),
            waiting_for=self._waiting_for,
            crashes=sightings.crashes,
            failure=self._failure,
            retry_at=self._retry_at,
            unhealthy_since=sightings.unhealthy_since,
            stopping=self._stopping,
            told=max(assignment.task.attempt, self._said.attempt if self._said else 0),
            told_state=(self._said or assignment.task).state,
            cold=sightings.cold,
            cleared=sightings.cleared,
        )

    # -- one step --------------------------------------------------------------------------------------------------

    async def _take_step(self, ctx: Context, step: Step, assignment: Assignment) -> Stepped:
        try:
            return await self._steps(ctx, step, assignment)
        except EngineUnavailable as error:
            return Stepped(type(step).__name__, failure=str(error), down=True)
        except (EngineError, ActorError) as error:
            gone = isinstance(error, NotFound)
            return Stepped(type(step).__name__, failure=str(error), gone=gone)

    def _steps(self, ctx: Context, step: Step, assignment: Assignment) -> Awaitable[Stepped]:
        match step:
            case Pull():
                return self._pull(ctx, assignment)
            case Create(attempt):
                return self._create(ctx, assignment, attempt)
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
        wanted = protocol.WantImage(spec.image_id or spec.image, spec.pull_policy, self._id)
        answer = await ctx.ref(self._around.images).ask(wanted, timeout=ASK_TIMEOUT)
        if isinstance(answer, protocol.Failed):
            return Stepped("Pull", failure=answer.reason, down=answer.down)
        assert isinstance(answer, protocol.ImageHere)
        return Stepped("Pull", image=answer.id)

    async def _create(self, ctx: Context, assignment: Assignment, attempt: int) -> Stepped:
        known = self._around.inventory
        networks, volumes = known.networks, known.volumes(assignment.task.stack)
        used = {mount.source for mount in assignment.spec.mounts if mount.type == "volume" and mount.source}
        if not used <= volumes.keys():
            missing = ", ".join(sorted(used - volumes.keys()))
            return Stepped("Create", failure=f"its stack's file names no volume {missing} any more")
        wanted = protocol.WantProvisions(
            networks=tuple(networks[name] for name in assignment.task.addresses if name in networks),
            external=tuple(name for name in assignment.task.addresses if name not in networks),
            volumes=tuple(volumes[key] for key in sorted(used)),
            afresh=self._afresh,
        )
        answer = await ctx.ref(self._around.provisions).ask(wanted, timeout=PROVISION_TIMEOUT)
        if isinstance(answer, protocol.Failed):
            return Stepped("Create", failure=answer.reason, down=answer.down)
        names = {key: volume.name for key, volume in volumes.items()}
        spec = container_for(assignment, attempt, self._around.cluster, networks, names)
        async with self._around.limiter:
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
        """The try before this one may have been done, though nobody heard: no attempt is started twice.

        What an engine could not start, or was stopped over, it may never be able to start: it is made anew.
        """
        seen = await self._around.engine.container(container)
        if seen is not None and seen.state == "created":
            await self._around.engine.remove(container)
            return Stepped("Remove", container=container)
        return Stepped("Start", seen=(seen,) if seen else ())

    async def _start_once(self, container: str) -> Stepped:
        async with self._around.limiter:
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

    async def _prune(self, containers: list[str]) -> None:
        for container in containers:
            try:
                await self._around.engine.remove(container)
            except EngineUnavailable:
                return
            except EngineError:
                continue  # the agent's next look over all containers finds it again

    async def _look_closer(self) -> protocol.Containers | None:
        at = self._around.clock()
        try:
            return protocol.Containers(tuple(await self._around.engine.containers({TASK: self._id})), at)
        except EngineError:
            return None  # the agent shows the containers when the engine is back

    # -- taking in what came of it ---------------------------------------------------------------------------------

    def _stepped(self, step: Stepped, ctx: Context) -> None:
        self._busy = None
        sightings = self._sightings
        if sightings is None:
            return
        if step.failure:
            self._fail(step)
        elif step.kind not in ("Create", "Remove"):  # steps to a start, whose own failures go on counting
            self._failure, self._failures = "", 0
        match step.kind:
            case "Pull":
                self._image = step.image
            case "Create" if step.seen:
                sightings.listed(step.seen, self._around.clock())
            case "Create" if not step.failure:
                sightings.created(step.container, step.name, step.attempt, self._around.clock())
                self._stopping = ""
            case "Start" | "Stop" if not step.failure:
                sightings.inspected(next(iter(step.seen), None), self._stopping)
                if step.kind == "Start":
                    ctx.spawn("prune", self._prune, sightings.surplus())
            case "Start" if step.gone:
                sightings.unstartable(step.failure)
            case "Remove" if not step.failure:
                sightings.removed(step.container)

    def _fail(self, step: Stepped) -> None:
        """A step failed: wait before the next try, longer each time. A missing engine is the agent's to wait for."""
        self._failures += 1
        self._failure = step.failure
        pause = 1.0 if step.down else min(MAX_RETRY, 2.0 ** min(self._failures - 1, 10))
        self._retry_at = self._around.clock() + pause
        if step.gone:
            self._image, self._afresh = "", True

    # -- saying how it stands --------------------------------------------------------------------------------------

    def _say(self, verdict: Verdict, sightings: Sightings, ctx: Context) -> None:
        seen = sightings.newest
        said = Observation(
            task=self._id,
            sequence=0,
            state=verdict.state,
            message=verdict.message,
            at=0.0,
            attempt=verdict.attempt,
            ready=verdict.ready,
            crashes=verdict.crashes,
            problem=verdict.problem,
            restart_at=verdict.restart_at,
            health=seen.health if seen else "",
            container_id=seen.id if seen else "",
            container_name=seen.name if seen else "",
            exit_code=seen.exit_code if seen and seen.phase == "ended" else None,
            started_at=seen.started_at if seen else 0.0,
            ports=sightings.ports,
            ended=sightings.ended,
            removed=verdict.step == Done(removed=True),
        )
        if said == self._said:
            return
        self._said = said
        # The time of day is the floor: the record that this life began with may be older than what the last one told.
        self._sequence = max(self._sequence + 1, int(self._around.clock() * 1000))
        news = replace(said, sequence=self._sequence, at=self._around.clock())
        ctx.ref(self._around.agent).tell(protocol.Noticed(news))

    def describe(self) -> dict[str, object]:
        """What inspection shows beside the runtime's own figures."""
        said = self._said
        return {"state": said.state, "message": said.message, "attempt": said.attempt} if said else {}
