"""A supervisor: starts, watches, restarts and stops its children as its spec says. The rules are those of Erlang/OTP.

It is one task that acts on one event at a time, out of its mailbox: a child ended (system lane), a restart to try again
(system lane), a stop (system lane), a child to start or stop on somebody's request (user lane).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskGroup

from supervisor.address import Address
from supervisor.cell import ActorCell, Cell
from supervisor.child import Child
from supervisor.envelope import Envelope
from supervisor.errors import ActorStopped, AlreadyStarted, RestartIntensityExceeded, StartFailed, explain
from supervisor.inspection import ActorInfo
from supervisor.mailbox import Empty
from supervisor.plan import RestartWindow, plan, wants_restart
from supervisor.spec import ChildSpec, Restart, SupervisorSpec

if TYPE_CHECKING:
    from supervisor.system import System

REQUESTS = 1000

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StartChild:
    """Request: answered by None, StartFailed or AlreadyStarted."""

    spec: ChildSpec


@dataclass(frozen=True, slots=True)
class StopChild:
    """Request: answered by None when the child has ended and is forgotten."""

    id: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A child's life has ended. Stale where the child has another life by now, or none on purpose."""

    child: Child
    cell: Cell


@dataclass(frozen=True, slots=True)
class TryAgain:
    """A restart failed and is due again: a message to itself, so that a stop can come between."""

    child: Child
    cause: Exception


class Supervisor(Cell):
    """One life of a supervisor."""

    def __init__(self, system: System, address: Address, spec: SupervisorSpec, on_end: Callable[[Cell], None]) -> None:
        super().__init__(system, address, REQUESTS, on_end)
        self.spec = spec
        self._window = RestartWindow(spec.intensity, spec.period)
        self._children = {child.id: Child(address / child.id, child, dynamic=False) for child in spec.children}
        self._starting: Cell | None = None
        self._group: TaskGroup | None = None

    async def live(self) -> None:
        failure: Exception | None = None
        async with anyio.create_task_group() as self._group:
            try:
                await self._start_all()
                self.running()
                await self._serve()
            except (StartFailed, RestartIntensityExceeded) as error:  # not out of the group, which would wrap it
                failure = error
            finally:
                with anyio.CancelScope(shield=True):
                    await self._stop_all()
        if failure is not None and self.state != "stopping":
            raise failure

    def stop(self, reason: str = "shutdown") -> None:
        super().stop(reason)
        if self._starting is not None:
            self._starting.kill()

    def inspect(self) -> Iterator[ActorInfo]:
        """Yield the children, each followed by its own."""
        for child in self._children.values():
            cell = child.cell
            yield child.info(cell.child_ids if isinstance(cell, Supervisor) else ())
            if isinstance(cell, Supervisor):
                yield from cell.inspect()

    @property
    def child_ids(self) -> tuple[str, ...]:
        """The children's ids, in the order of their start."""
        return tuple(self._children)

    async def _start_all(self) -> None:
        for child in self._children.values():
            error = await self._start(child)
            if error is not None:
                raise StartFailed(child.address, error) from error

    async def _stop_all(self) -> None:
        for child in reversed(list(self._children.values())):
            await self._stop(child)

    async def _serve(self) -> None:
        while self.state == "running":
            match self.mailbox.take():
                case Ended(child, cell) if child.cell is cell:
                    await self._ended(child, cell)
                case TryAgain(child, cause) if child.restarting:
                    await self._restart(child, cause)
                case Envelope(message=StartChild(spec), reply_to=asker):
                    asker.send(await self._start_dynamic(spec))
                case Envelope(message=StopChild(id), reply_to=asker):
                    await self._remove(id)
                    asker.send(None)
                case Empty.EMPTY:
                    await self.mailbox.wait()

    async def _start_dynamic(self, spec: ChildSpec) -> Exception | None:
        present = self._children.get(spec.id)
        if present is not None and (present.cell is not None or present.restarting):
            return AlreadyStarted(present.address)
        child = self._children[spec.id] = Child(self.address / spec.id, spec, dynamic=True)
        error = await self._start(child)
        if error is None:
            return None
        del self._children[spec.id]
        return StartFailed(child.address, error)

    async def _remove(self, id: str) -> None:
        child = self._children.get(id)
        if child is not None:
            child.restarting = False
            await self._stop(child)
            del self._children[id]

    async def _ended(self, child: Child, cell: Cell) -> None:
        child.cell = None
        if cell.failure is not None:
            self._note_failure(child, cell.failure)
        if wants_restart(child.spec.restart, abnormal=cell.failure is not None):
            await self._restart(child, cell.failure)
        elif child.dynamic or child.spec.restart is Restart.TEMPORARY:
            del self._children[child.spec.id]

    async def _restart(self, child: Child, cause: Exception | None) -> None:
        self._window = self._window.record(anyio.current_time())
        if self._window.exceeded:
            raise RestartIntensityExceeded(
                self.address, child.address, self.spec.intensity, self.spec.period
            ) from cause
        children = {id: each.spec.restart for id, each in self._children.items()}
        steps = plan(self.spec.strategy, children, child.spec.id)
        child.restarting = True
        for id in steps.stop:
            await self._stop(self._children[id])
        for id in steps.remove:
            del self._children[id]
        for id in steps.start:
            if not await self._start_again(self._children[id]):
                return

    async def _start_again(self, child: Child) -> bool:
        child.restarts += 1
        error = await self._start(child)
        child.restarting = error is not None
        if error is not None:
            self._note_failure(child, error)
            self.mailbox.put_system(TryAgain(child, error))
        return error is None

    async def _start(self, child: Child) -> Exception | None:
        """Start a new life and wait until it has started. Returns why it did not."""
        if self.state == "stopping":
            return ActorStopped(child.address, self.reason)
        try:
            cell = self._incarnate(child)
        except Exception as error:  # noqa: BLE001 - the factory is the child's own code: part of the actor cell
            return error
        assert self._group is not None
        child.cell = self._starting = cell
        self.system.register(cell)
        self._group.start_soon(cell.run, name=str(child.address))
        try:
            await cell.ready.wait()
        finally:
            self._starting = None
        if cell.started:
            return None
        child.cell = None
        return cell.failure or ActorStopped(cell.address, cell.reason)

    def _incarnate(self, child: Child) -> Cell:
        def on_end(cell: Cell) -> None:
            self.mailbox.put_system(Ended(child, cell))

        factory = child.spec.factory
        if isinstance(factory, SupervisorSpec):
            return Supervisor(self.system, child.address, factory, on_end)
        actor = factory()
        child.kind = type(actor).__name__
        return ActorCell(self.system, child.address, actor, on_end)

    async def _stop(self, child: Child) -> None:
        """End the present life, in order while there is time."""
        cell = child.cell
        if cell is None:
            return
        patience = None if isinstance(cell, Supervisor) and child.spec.shutdown else child.spec.shutdown
        if patience == 0 or self.killed:
            cell.kill()
        else:
            cell.stop()
            with anyio.move_on_after(patience):
                await cell.done.wait()
            if not cell.done.is_set():
                log.warning("%s did not stop within %s s and is killed", child.address, patience)
                cell.kill()
        await cell.done.wait()
        child.cell = None

    def _note_failure(self, child: Child, error: Exception) -> None:
        child.failed(error, self.system.clock())
        log.error("%s failed: %s", child.address, explain(error), exc_info=error)
