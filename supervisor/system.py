"""A system: one node's supervision tree, and the door to it from outside."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import count

import anyio
from anyio.abc import TaskStatus

from supervisor.address import Address
from supervisor.alarms import Alarms
from supervisor.cell import ActorCell, Cell
from supervisor.child import Child
from supervisor.dead_letters import DeadLetter, DeadLetterOffice, log_dead_letter
from supervisor.envelope import Ask, Envelope
from supervisor.errors import NoSuchActor
from supervisor.inspection import ActorInfo
from supervisor.ports import Codec, Router
from supervisor.ref import LocalRef, Ref, RemoteRef
from supervisor.spec import ChildSpec, SupervisorSpec
from supervisor.supervisor import StartChild, StopChild, Supervisor

__all__ = ["ActorInfo", "System"]


class System:
    """All actors of one node, in one event loop.

    With a `codec` the system is in strict mode: every message from one actor to another, and every reply, is encoded
    and decoded, so that nothing works only within one process. `clock` gives wall-clock seconds for people to read;
    deadlines and timers run on `anyio.current_time()`. Without a `router`, other nodes are unreachable.
    """

    def __init__(
        self,
        node: str,
        *,
        codec: Codec | None = None,
        router: Router | None = None,
        clock: Callable[[], float] = time.time,
        dead_letter_log: Callable[[DeadLetter, int], None] = log_dead_letter,
    ) -> None:
        self.address = Address(node)
        self.clock = clock
        self.alarms = Alarms()
        self.dead_letters = DeadLetterOffice(clock, dead_letter_log)
        self._codec = codec
        self.router = router
        self._actors: dict[str, ActorCell] = {}
        self._supervisors: dict[str, Supervisor] = {}
        self._incarnations = count(1)
        self._root: Child | None = None
        self._stop_asked = False

    @property
    def node(self) -> str:
        """This node's name."""
        return self.address.node

    async def run(self, root: SupervisorSpec, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Start the tree, report that it has started, and return when it has been stopped.

        Cancelled, it stops the tree in order first, which takes as long as the children's `shutdown` allows. Raises
        StartFailed where the tree does not come up, and RestartIntensityExceeded when the root gives up. Once only.
        """
        if self._root is not None:
            raise RuntimeError("this system has run: make a new one")
        self._root = Child(self.address, ChildSpec("root", root), dynamic=False)
        cell = self._root.cell = Supervisor(self, self.address, root, self._root_ended)
        self.register(cell)
        async with anyio.create_task_group() as group:
            alarms = anyio.CancelScope(shield=True)
            group.start_soon(self._run_alarms, alarms)
            group.start_soon(cell.run)
            try:
                if self._stop_asked:
                    cell.stop()
                await cell.ready.wait()
                if cell.started:
                    task_status.started()
                await cell.done.wait()
            finally:
                cell.stop()
                with anyio.CancelScope(shield=True):
                    await cell.done.wait()
                alarms.cancel()
        if cell.failure is not None:
            raise cell.failure

    def stop(self) -> None:
        """Stop the tree in order; `run` returns when that is done. Idempotent."""
        self._stop_asked = True
        if self._root is not None and self._root.cell is not None:
            self._root.cell.stop()

    def ref(self, address: str | Address) -> Ref:
        """Return a ref to `senate` or `rome-1/senate`, on this node; or to any `Address`.

        Text that does not begin with this node's name is a path here: use `Address.parse` for one that may be
        elsewhere.
        """
        if isinstance(address, str):
            address = Address(self.node, address.removeprefix(f"{self.node}/"))
        if address.node != self.node:
            return RemoteRef(address, self.dead_letters, self.router)
        return LocalRef(address, self._actors, self.alarms, self.dead_letters, self._codec)

    async def start_child(self, supervisor_path: str, spec: ChildSpec) -> Ref:
        """Start a dynamic child and return a ref to it once it has started. The path of the root is empty.

        It is restarted like any other child, but is forgotten when it ends for good and when its supervisor restarts.
        Raises StartFailed, AlreadyStarted, NoSuchActor where no supervisor has that path, or ActorStopped where that
        ends meanwhile. Not for an actor's `started` on its own supervisor: each would wait for the other.
        """
        error = await self._request(supervisor_path, StartChild(spec))
        if isinstance(error, Exception):
            raise error
        return self.ref(self.address / f"{supervisor_path}/{spec.id}".lstrip("/"))

    async def stop_child(self, path: str) -> None:
        """Stop a child in order and forget it; unknown is fine. Returns when it has ended.

        Raises ActorStopped where its supervisor ends meanwhile. An actor that stops itself calls `ctx.stop` instead.
        """
        parent, _, id = path.rpartition("/")
        try:
            await self._request(parent, StopChild(id))
        except NoSuchActor:
            return

    def inspect(self, path: str = "") -> list[ActorInfo]:
        """Return the actor at a path and all below it, depth first, in the order of their start; empty if unknown."""
        below = f"{path}/" if path else ""
        tree = self._walk()
        return [info for info in tree if info.address.path == path or info.address.path.startswith(below)]

    def actor(self, path: str) -> ActorCell | None:
        """Return the actor that lives at a path; a supervisor is none."""
        return self._actors.get(path)

    def cell(self, path: str) -> Cell | None:
        """Return who lives at a path."""
        return self._actors.get(path) or self._supervisors.get(path)

    def register(self, cell: Cell) -> None:
        """A new life begins at its address."""
        if isinstance(cell, ActorCell):
            self._actors[cell.address.path] = cell
        elif isinstance(cell, Supervisor):
            self._supervisors[cell.address.path] = cell

    def unregister(self, cell: Cell) -> None:
        """That life has ended."""
        if self.cell(cell.address.path) is cell:
            self._actors.pop(cell.address.path, None)
            self._supervisors.pop(cell.address.path, None)

    def next_incarnation(self) -> int:
        """Return a number that no other life in this system has."""
        return next(self._incarnations)

    async def _request(self, supervisor_path: str, request: StartChild | StopChild) -> object:
        supervisor = self._supervisors.get(supervisor_path)
        if supervisor is None:
            raise NoSuchActor(Address(self.node, supervisor_path))
        ask = Ask(supervisor.address, request, supervisor.questions, self.alarms, None)
        await supervisor.mailbox.offer(Envelope(request, ask, ask))
        return await ask.answer()

    def _walk(self) -> Iterator[ActorInfo]:
        if self._root is not None and isinstance(self._root.cell, Supervisor):
            yield self._root.info(self._root.cell.child_ids)
            yield from self._root.cell.inspect()

    def _root_ended(self, cell: Cell) -> None:
        if self._root is not None:
            self._root.cell = None

    async def _run_alarms(self, scope: anyio.CancelScope) -> None:
        with scope:
            await self.alarms.run()
