"""One task on one machine: brings its container about, watches it, and says how it stands.

It looks, decides (`cluster.execution`), takes one step, and looks again. All it knows it can read from its assignment
and from the engine, so that a new incarnation, or a new gbnt, goes on where the last one was.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

from actors import protocol
from actors.housekeeping import look_at, remove_all, stop_all
from actors.sightings import Sightings
from actors.steps import Stepped, Steps, Surroundings
from cluster import backoff
from cluster.assignment import Assignment, Observation
from cluster.execution import Create, Done, Pull, Situation, Start, Step, Stop, Verdict, Wait, decide
from cluster.model import ENDED
from cluster.registries import Trouble
from engine.port import EngineEvent
from supervisor.actor import Actor, Context
from supervisor.message import message

STEP, RETRY = "step", "retry"


@message("task.retry/1")
@dataclass(frozen=True, slots=True)
class Retry:
    """A timer's tick: what the decision waited for is over."""


class TaskActor(Actor):
    """The life of one task's containers on this machine."""

    mailbox_size: ClassVar[int] = 1000

    def __init__(self, task: str, around: Surroundings) -> None:
        self._id = task
        self._around = around
        self._steps = Steps(task, around)
        self._assignment: Assignment | None = None
        self._waiting_for = self._hopeless = self._held = ""
        self._halted = False
        self._sightings: Sightings | None = None
        self._image = ""
        self._failure = ""
        self._trouble: Trouble = ""
        self._failures = 0
        self._retry_at = self._seen_since = 0.0
        self._shown: object = None
        self._stopping = ""
        self._afresh = False
        self._busy: Step | None = None
        self._sequence = 0
        self._said: Observation | None = None
        self._done = False
        self._born = 0.0

    async def started(self, ctx: Context) -> None:
        """Ask the agent for the assignment."""
        self._born = ctx.now()
        ctx.ref(self._around.agent).tell(protocol.TaskBorn(self._id))

    async def receive(self, message: object, ctx: Context) -> None:
        """Take in what happened, then take the next step if none is under way."""
        match message:
            case protocol.Take():
                self._take(message)
            case protocol.Containers():
                self._look(message, ctx)
            case protocol.Happened(event):
                self._hear(event, ctx)
            case protocol.Overtaken(sequence):
                self._sequence = max(self._sequence, sequence)
            case protocol.EngineGone() if self._sightings is not None and not self._done:
                self._sightings.engine_gone()
            case Stepped():
                self._stepped(message, ctx)
        self._advance(ctx)

    def _take(self, orders: protocol.Take) -> None:
        assignment = orders.assignment
        if self._assignment is None:
            self._sequence = assignment.task.sequence
        elif assignment.task.desired != self._assignment.task.desired:
            self._failure, self._failures, self._retry_at = "", 0, 0.0
        self._assignment, self._held, self._halted = assignment, orders.held, orders.halted
        self._waiting_for, self._hopeless = orders.waiting_for, orders.hopeless
        self._done = False

    def _look(self, found: protocol.Containers, ctx: Context) -> None:
        if self._assignment is None or found.at < self._born:
            return  # what the life before this one did since then is not in it
        if self._sightings is None:
            self._sightings = Sightings(self._assignment.task)
        never_started = self._sightings.listed(found.containers, found.at)
        if never_started and not isinstance(self._busy, Create):
            ctx.spawn("half-made", remove_all, self._around.engine, never_started)
        if self._sightings.strays:
            grace = self._assignment.spec.stop_grace_period
            ctx.spawn("strays", stop_all, self._around.engine, self._sightings.strays, grace)
        if not self._trouble:
            self._retry_at = 0.0  # the engine answers: nothing is gained by waiting

    def _hear(self, event: EngineEvent, ctx: Context) -> None:
        sightings = self._sightings
        if sightings is None or not sightings.happened(event, self._stopping):
            return
        if not (isinstance(self._busy, Start) and self._busy.container == event.container):
            ctx.spawn("look", look_at, self._around.engine, self._id)  # somebody else started it

    # -- deciding --------------------------------------------------------------------------------------------------

    def _advance(self, ctx: Context) -> None:
        assignment, sightings = self._assignment, self._sightings
        if assignment is None or sightings is None or self._done:
            return
        verdict = decide(self._situation(assignment, sightings, ctx.now()))
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
                ctx.spawn(STEP, partial(self._steps.take, ctx), step, assignment, self._afresh)

    def _situation(self, assignment: Assignment, sightings: Sightings, now: float) -> Situation:
        seen = sightings.newest
        shown = seen and (seen.id, seen.phase, seen.health)
        if shown != self._shown:
            self._shown, self._seen_since = shown, now
        return Situation(
            assignment=assignment,
            seen=seen,
            now=self._around.clock(),
            seen_for=now - self._seen_since,
            jitter=self._around.jitter(),
            image_ready=bool(self._image),
            waiting_for=self._waiting_for,
            hopeless=self._hopeless,
            held=self._held,
            halted=self._halted,
            crashes=sightings.crashes,
            failure=self._failure,
            retry_in=self._retry_at - now,
            unhealthy_since=sightings.unhealthy_since,
            stopping=self._stopping,
            told=max(assignment.task.attempt, self._said.attempt if self._said else 0),
            told_state=(self._said or assignment.task).state,
            cold=sightings.cold,
            cleared=sightings.cleared,
        )

    # -- taking in what came of it ---------------------------------------------------------------------------------

    def _stepped(self, step: Stepped, ctx: Context) -> None:
        self._busy = None
        sightings = self._sightings
        if sightings is None:
            return
        if step.failure:
            self._fail(step, ctx.now())
        elif step.kind not in ("Create", "Remove"):  # steps to a start, whose own failures go on counting
            self._failure, self._failures = "", 0
        match step.kind:
            case "Pull":
                self._image = step.image
            case "Create" if step.seen:
                sightings.listed(step.seen, ctx.now())
            case "Create" if not step.failure and sightings.runs:
                # Meanwhile somebody started the one before it again: two would be one too many.
                ctx.spawn("unneeded", remove_all, self._around.engine, [step.container])
            case "Create" if not step.failure:
                sightings.created(step.container, step.name, step.attempt, ctx.now())
                self._stopping = ""
            case "Start" | "Stop" if not step.failure:
                sightings.inspected(next(iter(step.seen), None), self._stopping)
                if step.kind == "Start":
                    ctx.spawn("surplus", remove_all, self._around.engine, sightings.surplus())
            case "Start" if step.gone:
                sightings.unstartable(step.failure)
            case "Remove" if not step.failure:
                sightings.removed(step.container)

    def _fail(self, step: Stepped, now: float) -> None:
        """A step failed: wait before the next try, longer each time. A missing engine is the agent's to wait for."""
        self._failures += 1
        self._failure, self._trouble = step.failure, step.trouble
        pause = backoff.step_pause(1 if step.down else self._failures, step.trouble, self._around.jitter())
        self._retry_at = now + pause
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
