"""One incarnation of a child: the task it runs in, and the boundary where its exceptions end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, Literal

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup

from supervisor.actor import Actor, Context
from supervisor.address import Address
from supervisor.dead_letters import Reason
from supervisor.envelope import NOBODY, Envelope, Question
from supervisor.errors import ActorCrashed, ActorStopped, Unreachable, explain
from supervisor.jobs import Jobs
from supervisor.mailbox import EMPTY, Mailbox
from supervisor.timers import Timers
from supervisor.watch import NO_SUCH_ACTOR, Watch, Watched, Watcher

if TYPE_CHECKING:
    from supervisor.system import System

State = Literal["starting", "running", "stopping", "stopped"]

# An actor that always finds another message lets others run after so many.
TURN = 64

# In the system lane: end in order.
STOP: Final = object()


class Cell(ABC):
    """Runs one life of a child. It never raises into the task group it runs in: it ends, and tells `on_end`.

    Its cancel scope is shielded: a cancelled parent would otherwise take all its children at once, and in no order.
    """

    def __init__(self, system: System, address: Address, capacity: int, on_end: Callable[[Cell], None]) -> None:
        self.system = system
        self.address = address
        self.incarnation = system.next_incarnation()
        self.started_at = system.clock()
        self.state: State = "starting"
        self.reason = ""
        self.failure: Exception | None = None
        self.started = False
        self.killed = False
        self.processed = 0
        self.mailbox: Mailbox[object] = Mailbox(capacity)
        self.questions: dict[Question, None] = {}
        self.watchers: dict[Watcher, None] = {}
        self.ready = anyio.Event()
        """Set when it has started, and when it has ended without."""
        self.done = anyio.Event()
        self._on_end = on_end
        self._scope = anyio.CancelScope(shield=True)

    async def run(self) -> None:
        """Live from start to end. Returns, whatever happens, except that what is no `Exception` passes through."""
        try:
            with self._scope:
                await anyio.lowlevel.checkpoint_if_cancelled()
                await self.live()
        except Exception as error:  # noqa: BLE001 - the actor cell is one of the four boundaries
            self.failure = error
        finally:
            self._end()

    @abstractmethod
    async def live(self) -> None:
        """Start, set `ready` by `running()`, serve until told to stop, clean up."""

    def running(self) -> None:
        """It has started."""
        self.started = True
        if self.state == "starting":
            self.state = "running"
        self.ready.set()

    def stop(self, reason: str = "shutdown") -> None:
        """Ask it to end in order. Idempotent; `done` is set when it has."""
        if self.state in ("starting", "running"):
            self.state = "stopping"
            self.reason = reason
            self.mailbox.put_system(STOP)

    def kill(self) -> None:
        """End it at its next checkpoint, without clean-up by the actor."""
        if self.state != "stopped":
            self.killed = True
            self._scope.cancel()

    def forget_watch(self, watch: Watcher) -> None:
        """A watch over this incarnation has ended."""
        self.watchers.pop(watch, None)

    def _end(self) -> None:
        self.state = "stopped"
        if self.failure is not None:
            self.reason = f"crashed: {explain(self.failure)}"
        elif self.killed:
            self.reason = "killed"
        self.mailbox.close()
        ended = ActorStopped if self.failure is None and not self.killed else ActorCrashed
        for question in list(self.questions):
            question.fail(ended(self.address, self.reason))
        self.system.unregister(self)
        for watch in list(self.watchers):
            watch.notify(self.incarnation, self.reason)
        self.ready.set()
        self.done.set()
        self._on_end(self)


class ActorCell(Cell):
    """One life of an actor."""

    def __init__(self, system: System, address: Address, actor: Actor, on_end: Callable[[Cell], None]) -> None:
        super().__init__(system, address, actor.mailbox_size, on_end)
        self.actor = actor
        self.timers = Timers(system.alarms, self.mailbox.put_reserved)
        self.jobs = Jobs(self.mailbox.put_reserved, self._fail)
        self._context = Context(system, self, self.timers)
        self._watches: dict[Address, tuple[Watch, Watched | None]] = {}
        self._group: TaskGroup | None = None

    async def live(self) -> None:
        async with anyio.create_task_group() as group:
            self._group = group
            try:
                await self.actor.started(self._context)
                self.running()
                await self._serve()
            except Exception as error:  # noqa: BLE001 - the actor cell is one of the four boundaries
                self._fail(error)
            self.timers.cancel_all()
            group.cancel_scope.cancel()
        if self.failure is None:
            await self.actor.stopped(self._context)

    def spawn(self, key: str, work: Callable[..., Awaitable[object]], args: tuple[object, ...]) -> None:
        """Run a job in this incarnation's task group. In `stopped` there is none left: RuntimeError."""
        if self._group is None or self._group.cancel_scope.cancel_called:
            raise RuntimeError(f"{self.address} is ending: it cannot begin {key!r} any more")
        self.jobs.spawn(self._group, key, work, args)

    def watch(self, target: Address) -> None:
        """Begin to watch who lives there now."""
        if target in self._watches:
            return
        watch = Watch(target, self.mailbox.put_reserved, self._forget)
        if target.node != self.address.node:
            self._watch_afar(target, watch)
            return
        cell = self.system.cell(target.path)
        self._watches[target] = watch, cell
        if cell is None:
            watch.notify(0, NO_SUCH_ACTOR)
        else:
            cell.watchers[watch] = None

    def unwatch(self, target: Address) -> None:
        """End a watch; unknown is fine."""
        if target in self._watches:
            watch = self._watches[target][0]
            watch.live = False
            self._forget(watch)

    def _watch_afar(self, target: Address, watch: Watch) -> None:
        router = self.system.router
        self._watches[target] = watch, router
        if router is None:
            watch.notify(0, str(Unreachable(target)))
        else:
            router.watch(watch)

    def _forget(self, watch: Watch) -> None:
        _, watched = self._watches.pop(watch.target)
        if watched is not None:
            watched.forget_watch(watch)

    def _fail(self, error: Exception) -> None:
        """Crash, from a handler or a job: the first exception is the reason, and cancels all else that runs."""
        assert self._group is not None
        if self.failure is None:
            self.failure = error
        self._group.cancel_scope.cancel()

    async def _serve(self) -> None:
        # The hot path: what a message costs is decided here and in `LocalRef.tell`.
        mailbox, actor, context = self.mailbox, self.actor, self._context
        batch = actor.batch
        left = TURN
        while (item := mailbox.take()) is not STOP:
            if item is EMPTY:
                await mailbox.wait()
                left = TURN
                continue
            if batch > 1:
                await self._handle_batch([item, *mailbox.drain(batch - 1)])
            elif type(item) is not Envelope:
                context.reply_to = NOBODY
                await actor.receive(item, context)
                self.processed += 1
            elif self._wanted(item):
                context.reply_to = item.reply_to
                await actor.receive(item.message, context)
                self.processed += 1
            left -= 1
            if not left:
                await anyio.lowlevel.checkpoint()
                left = TURN

    async def _handle_batch(self, items: list[object]) -> None:
        envelopes = [envelope for envelope in map(Envelope.around, items) if self._wanted(envelope)]
        if envelopes:
            await self.actor.receive_batch(envelopes, self._context)
            self.processed += len(envelopes)

    def _wanted(self, envelope: Envelope) -> bool:
        """Return whether it is still to be handled: a tick, result, notice or question may not be."""
        if envelope.source is None or envelope.source.take():
            return True
        if not envelope.internal:
            self.system.dead_letters.post(Reason.EXPIRED, self.address, envelope.message)
        return False

    def _end(self) -> None:
        self.timers.cancel_all()
        for target in list(self._watches):
            self.unwatch(target)
        for envelope in map(Envelope.around, self.mailbox.close()):
            if not envelope.internal:
                self.system.dead_letters.post(Reason.STOPPED, self.address, envelope.message)
        super()._end()
