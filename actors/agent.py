"""The executor of one machine: keeps one actor for each task that the machine owns, and hears the engine for them all.

It follows the engine's events and looks over all containers whenever the stream (re)starts, and slowly from time to
time beside it. What the tasks report goes to the Senate in batches, and again until the Senate confirms it.
"""

from __future__ import annotations

import logging
import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

from actors import protocol
from actors.dependencies import Dependencies
from actors.housekeeping import remove_all
from actors.inventory import Inventory
from actors.keepsake import NOTHING, Drawer, Keepsake, Recalled
from actors.leftovers import Squatters, outlived, unknown
from actors.lookout import LOOK_SECONDS, DiskSeen, EngineDown, EngineSays, EngineUp, Lookout
from actors.machine import Machine
from actors.places import DISPATCHER, SENATE
from actors.reports import Again, Reports
from actors.task import TaskActor
from cluster.assignment import Assignment, Observation
from cluster.autonomy import LEFT_ALONE, halted, held
from cluster.containers import TASK
from cluster.gates import hopeless, waiting_for
from cluster.transitions import as_seen
from engine.port import ContainerInfo, Engine, EngineError, EngineEvent
from supervisor.actor import Actor, Context, ReplyTo
from supervisor.message import Terminated, message
from supervisor.ref import Ref
from supervisor.spec import ChildSpec

log = logging.getLogger(__name__)

RESYNC = 60.0
REGISTER = 1.0
BIRTHS_FORGIVEN, BIRTH_PAUSE, BIRTH_PAUSE_CAP = 2, 0.1, 30.0


@message("agent.tick/1")
@dataclass(frozen=True, slots=True)
class Tick:
    """A timer's tick: `what` is `register`, `resync` or `alone`."""

    what: str


class Agent(Actor):
    """`make_task` makes the actor of a task; `inventory` is shared with all of them.

    Its orders are kept in `drawer`: where no manager answers, it goes by those, restarts what crashes, and starts what
    ran before a reboot. `removed` tells whether the cluster has removed this machine: then it puts away all it has.
    """

    mailbox_size: ClassVar[int] = 10_000

    def __init__(
        self,
        engine: Engine,
        machine: Machine,
        inventory: Inventory,
        make_task: Callable[[str], TaskActor],
        clock: Callable[[], float],
        drawer: Drawer | None = None,
        removed: Callable[[], bool] = lambda: False,
    ) -> None:
        self._keepsake = Keepsake(drawer)
        self._removed = removed
        self._engine = engine
        self._machine = machine
        self._lookout = Lookout(engine, machine.cluster)
        self._inventory = inventory
        self._make_task = make_task
        self._clock = clock
        self._assigned: dict[str, Assignment] = {}
        self._told: dict[str, protocol.Take] = {}
        self._seen: dict[str, Observation] = {}
        self._untouched: set[str] = set()
        self._dependencies = Dependencies(self._seen)
        self._births: defaultdict[str, list[float]] = defaultdict(list)
        self._looked_at = -LOOK_SECONDS
        self._provisions_at = -math.inf
        self._reports = Reports(machine)
        self._complete = False
        self._hold = False
        self._squatters = Squatters()
        self._put_away = ""
        self._alone = False
        self._epoch = 0
        self._paths_asked = 0

    async def started(self, ctx: Context) -> None:
        """Find the engine, say who is there, and ask for assignments until they come."""
        if self._removed():
            ctx.self.tell(protocol.Dismissed())
        else:
            self._register(ctx)
            self._keepsake.recall(ctx)
        ctx.timers.every("resync", RESYNC, Tick("resync"))
        ctx.spawn("engine", partial(self._lookout.follow, ctx.self))

    async def receive(self, message: object, ctx: Context) -> None:
        """Take in orders, engine news, or what a task noticed."""
        match message:
            case protocol.Noticed(seen):
                self._notice(seen, ctx)
            case EngineSays(event):
                self._pass_on(event, ctx)
            case protocol.Assign() if not self._removed():
                await self._obey(message, ctx)
            case Recalled(orders) if not self._assigned and not self._complete:
                self._alone, self._epoch = True, orders.epoch
                await self._assign(orders, ctx)
            case protocol.TaskBorn(task):
                self._born(task, ctx)
            case protocol.Take(assignment):
                self._give(assignment.task.id, ctx)
            case protocol.Confirmed(batch, ahead):
                self._reports.confirm(batch, ctx)
                self._overtake(ahead, ctx)
            case Again():
                self._reports.again(ctx)
            case EngineUp():
                await self._engine_is_up(message, ctx)
            case DiskSeen(disk):
                self._reports.tell_disk(disk, ctx)
            case protocol.WantPaths(paths):
                self._paths_asked += 1
                ctx.spawn(f"paths:{self._paths_asked}", self._see_paths, paths, ctx.reply_to)
            case protocol.Containers():
                await self._look_over(message, ctx)
            case EngineDown(reason, hangs):
                self._engine_is_down(reason, ctx)
                if hangs:
                    ctx.spawn("engine", partial(self._lookout.follow, ctx.self))
            case protocol.ProvisionsNow() as here:
                self._provisions_at = ctx.now()
                self._reports.tell_provisions(here, ctx)
            case Tick(what):
                self._tick(what, ctx)
            case protocol.Introduce():
                self._tick("register", ctx)
            case protocol.PeerLost(left=left) if not self._alone:
                ctx.timers.start("alone", LEFT_ALONE if left else 0.0, Tick("alone"))
            case protocol.PeerHeard():
                ctx.timers.cancel("alone")
                self._be_alone(False, ctx)
            case protocol.Dismissed():
                ctx.timers.cancel("register")
                self._complete = True
                await self._assign(NOTHING, ctx)
                self._keep(NOTHING, ctx)
            case Terminated():
                ctx.timers.start("register", REGISTER, Tick("register"))

    # -- the cluster -----------------------------------------------------------------------------------------------

    def _register(self, ctx: Context) -> None:
        """Again and again until assignments come: the other side may not be there yet, or not any more."""
        dispatcher = self._manager(ctx, DISPATCHER)
        ctx.watch(self._manager(ctx, SENATE))
        ctx.watch(dispatcher)
        self._reports.tell_node(self._reports.node, ctx)
        machine = self._machine
        dispatcher.tell(protocol.RegisterAgent(machine.node, str(ctx.address), machine.boot))
        ctx.timers.start("register", REGISTER, Tick("register"))

    def _manager(self, ctx: Context, path: str) -> Ref:
        return ctx.ref(self._machine.at_manager(path, ctx.address))

    def _tick(self, what: str, ctx: Context) -> None:
        match what:
            case "register" if not self._removed():
                self._complete = False
                self._register(ctx)
            case "alone":
                self._be_alone(True, ctx)
            case "resync" if self._reports.node.status == "ready" and ctx.now() - self._looked_at >= LOOK_SECONDS:
                self._look(ctx)  # and not while one is under way, or the engine is waited for
                ctx.spawn("disk", self._lookout.look_at_disk)

    async def _see_paths(self, paths: tuple[str, ...], reply_to: ReplyTo) -> None:
        """Beside all else: a file system may be slow."""
        try:
            seen = await self._engine.paths(paths)
        except EngineError as error:
            reply_to.send(protocol.PathsSeen(unknown=str(error)))
        else:
            reply_to.send(protocol.PathsSeen(seen.missing, seen.unknown))

    def _be_alone(self, alone: bool, ctx: Context) -> None:
        """Whether no manager is heard: some services are to act differently then."""
        self._alone = alone
        for task in self._assigned:
            self._give(task, ctx)

    def _look(self, ctx: Context) -> None:
        self._looked_at = ctx.now()
        ctx.spawn("resync", self._lookout.look)

    async def _obey(self, orders: protocol.Assign, ctx: Context) -> None:
        """Go by a manager's orders, unless they are of one that another has taken over from."""
        if orders.epoch < self._epoch:
            log.error("orders of epoch %d are refused: a manager of epoch %d leads", orders.epoch, self._epoch)
            return
        self._epoch = orders.epoch
        ctx.timers.cancel("alone")
        self._alone = False
        if orders.full:
            self._complete = True
            ctx.timers.cancel("register")
        if self._complete:  # or they change what was never heard of: the full orders are on their way
            await self._assign(orders, ctx)
            self._keep(orders, ctx)

    async def _assign(self, orders: protocol.Assign, ctx: Context) -> None:
        now = {assignment.task.id: assignment for assignment in orders.assignments}
        gone = self._assigned.keys() - now.keys() if orders.full else set(orders.gone)
        self._inventory.take(orders)
        self._reports.name_volumes(self._inventory.volume_names.union(orders.remove_volumes), ctx)
        turned = self._hold != orders.hold
        self._squatters.expect(orders.hold and (orders.full or turned))
        self._hold = orders.hold
        for task in gone & self._assigned.keys():
            await self._let_go(task, ctx)
        for task, assignment in now.items():
            new = task not in self._assigned
            self._assigned[task] = assignment
            if new and not orders.full:
                self._untouched.add(task)
            if new:
                await ctx.system.start_child("agent/tasks", ChildSpec(task, partial(self._make_task, task)))
        self._dependencies.take(orders, self._assigned.values())
        self._put_away = self._to_put_away()
        for task in self._assigned:
            self._give(task, ctx)
        self._inventory.tell_keepers(orders, self._assigned.values(), ctx)
        if (orders.full or turned) and self._reports.node.status == "ready":
            self._look(ctx)

    def _keep(self, orders: protocol.Assign, ctx: Context) -> None:
        known = (as_seen(one, self._seen.get(task)) for task, one in self._assigned.items())
        self._keepsake.keep(ctx, replace(orders, full=True, assignments=tuple(known), gone=()))

    async def _let_go(self, task: str, ctx: Context) -> None:
        for known in (self._assigned, self._told, self._seen, self._births):
            known.pop(task, None)
        self._reports.forget(task)
        await ctx.system.stop_child(f"agent/tasks/{task}")

    # -- the tasks -------------------------------------------------------------------------------------------------

    def _born(self, task: str, ctx: Context) -> None:
        """A task's actor begins, or begins again after a crash; one that keeps crashing is given time to come round."""
        now = ctx.now()
        self._births[task] = [at for at in self._births[task] if now - at < BIRTH_PAUSE_CAP] + [now]
        self._told.pop(task, None)
        crashes = len(self._births[task]) - BIRTHS_FORGIVEN
        assignment = self._assigned.get(task)
        if crashes <= 0:
            self._give(task, ctx)
        elif assignment is not None:
            pause = min(BIRTH_PAUSE_CAP, BIRTH_PAUSE * 2.0**crashes)
            ctx.timers.start(f"birth:{task}", pause, protocol.Take(assignment, ""))

    def _give(self, task: str, ctx: Context) -> None:
        """Tell a task's actor its assignment and what it waits for, where either is news to it."""
        assignment = self._assigned.get(task)
        if assignment is None:
            return
        reached = self._dependencies.reached(assignment)
        waits = waiting_for(assignment.gates, reached)
        waits = waits or ("" if assignment.task.desired in ("stop", "remove") else self._put_away)
        take = protocol.Take(
            assignment,
            waits,
            self._squatters.hopeless(assignment.task) or hopeless(assignment.gates, reached),
            self._squatters.held(assignment.task) or held(assignment.spec, self._alone),
            halted(assignment.spec, self._alone),
        )
        known = self._told.get(task)
        if known == take:
            return
        self._told[task] = take
        actor = ctx.ref(f"agent/tasks/{task}")
        # To a new life of the actor the record is what the life before it told last.
        actor.tell(replace(take, assignment=as_seen(assignment, self._seen.get(task))) if known is None else take)
        if known is None and task in self._untouched:
            # The Senate has only just made it, so no container of it can be there: nothing to look for.
            self._untouched.discard(task)
            actor.tell(protocol.Containers((), ctx.now()))
        elif known is None and self._reports.node.status == "ready":
            ctx.spawn(f"look:{task}", partial(self._lookout.look_at, task, actor))

    def _notice(self, seen: Observation, ctx: Context) -> None:
        if seen.task not in self._assigned:
            return
        self._seen[seen.task] = seen
        self._reports.tell(seen, ctx)
        for task in self._dependencies.noticed(self._assigned[seen.task]):
            self._give(task, ctx)

    def _overtake(self, ahead: Mapping[str, int], ctx: Context) -> None:
        """What was told is taken for old, as a life before this one had the clock ahead: it is told again as news."""
        for task, sequence in ahead.items():
            if task in self._seen and self._seen[task].sequence < sequence:
                ctx.ref(f"agent/tasks/{task}").tell(protocol.Overtaken(sequence + 1))
                self._notice(replace(self._seen[task], sequence=sequence + 1), ctx)

    def _to_put_away(self) -> str:
        """What others took over while this machine was taken for lost goes before anything new begins, in words."""
        lost = sorted(one.task.name for one in self._assigned.values() if one.task.state == "lost")
        return f"{', '.join(lost)} to be gone from here, for it runs elsewhere since" if lost else ""

    # -- the engine ------------------------------------------------------------------------------------------------

    def _pass_on(self, event: EngineEvent, ctx: Context) -> None:
        task = event.labels.get(TASK, "")
        if task in self._assigned:
            ctx.ref(f"agent/tasks/{task}").tell(protocol.Happened(event))
        elif self._squatters.ended(event):
            for one in self._assigned:
                self._give(one, ctx)

    async def _engine_is_up(self, up: EngineUp, ctx: Context) -> None:
        # Where networks were made or removed since that look began, who did it has told.
        here = up.here if self._provisions_at < up.found.at else None
        self._reports.tell_ready(up.info, up.disk, here, ctx)
        await self._look_over(up.found, ctx)
        if any(births[-1] > up.found.at for births in self._births.values() if births):
            self._look(ctx)  # to a task that began since, this look is older than itself

    def _engine_is_down(self, reason: str, ctx: Context) -> None:
        if self._reports.node.status == "ready":
            for task in self._assigned:
                ctx.ref(f"agent/tasks/{task}").tell(protocol.EngineGone())
        if self._reports.node.message != reason:
            self._reports.tell_node(replace(self._reports.node, status="unavailable", message=reason), ctx)

    async def _look_over(self, found: protocol.Containers, ctx: Context) -> None:
        """Show each task its containers. Those that no task knows go, unless a person has to confirm that first."""
        by_task: defaultdict[str, list[ContainerInfo]] = defaultdict(list)
        for container in found.containers:
            by_task[container.labels.get(TASK, "")].append(container)
        self._dependencies.went_down([task for task in self._assigned if self._went_down(task, by_task[task])])
        strangers = unknown(found.containers, self._assigned, self._machine.node)
        self._squatters.see(strangers, self._hold)
        for task in self._assigned:
            self._give(task, ctx)  # first what it has to wait for, now that others are down too
            ctx.ref(f"agent/tasks/{task}").tell(protocol.Containers(tuple(by_task[task]), found.at))
        if not self._complete:
            return
        held = tuple(sorted(info.name for info in strangers)) if self._hold else ()
        if held != self._reports.node.held:
            self._reports.tell_node(replace(self._reports.node, held=held), ctx)
        surplus = [*([] if self._hold else strangers), *outlived(found.containers, self._assigned, self._clock())]
        if surplus:
            ctx.spawn("tidy", remove_all, self._engine, [info.id for info in surplus])

    def _went_down(self, task: str, containers: list[ContainerInfo]) -> bool:
        """Whether a task that was up has no container that runs: it ended while nobody watched."""
        was_up = task in self._seen and self._seen[task].state in ("starting", "running")
        return was_up and not any(container.state == "running" for container in containers)

    def describe(self) -> dict[str, object]:
        """What inspection shows beside the runtime's own figures."""
        return {
            "engine": self._reports.node.message,
            "tasks": len(self._assigned),
            "unconfirmed": self._reports.waiting,
            "held": len(self._reports.node.held),
        }
