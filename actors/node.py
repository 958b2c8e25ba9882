"""One machine, as the cluster sees it: passes its part of the state on to the agent that runs there."""

from __future__ import annotations

from actors import protocol
from actors.places import DISPATCHER
from actors.views import same_orders
from cluster.assignment import Assignment
from supervisor.actor import Actor, Context
from supervisor.address import Address
from supervisor.message import Terminated


class NodeActor(Actor):
    """The first view goes to an agent in full, later ones as what changed since."""

    def __init__(self, node: str) -> None:
        self._node = node
        self._view: protocol.NodeView | None = None
        self._agent: protocol.RegisterAgent | None = None
        self._given: dict[str, Assignment] | None = None

    async def started(self, ctx: Context) -> None:
        """Ask for the machine's part of the state, and for the agent that registered."""
        ctx.ref(DISPATCHER).tell(protocol.WantView(self._node))

    async def receive(self, message: object, ctx: Context) -> None:
        """Take in a view or an agent, and tell the agent what is new to it."""
        match message:
            case protocol.NodeView():
                self._view = message
            case protocol.RegisterAgent(node) if node == self._node:
                self._agent, self._given = message, None
                ctx.watch(ctx.ref(Address.parse(message.agent)))
            case Terminated():
                # What was told it may be lost: it registers again, and gets its orders in full.
                self._agent = self._given = None
        if self._view is not None and self._agent is not None:
            ctx.ref(Address.parse(self._agent.agent)).tell(self._orders(self._view))

    def _orders(self, view: protocol.NodeView) -> protocol.Assign:
        now = {assignment.task.id: assignment for assignment in view.assignments}
        given, full = self._given or {}, self._given is None
        self._given = now
        changed = (a for a in view.assignments if a.task.id not in given or not same_orders(a, given[a.task.id]))
        return protocol.Assign(
            epoch=view.epoch,
            revision=view.revision,
            full=full,
            assignments=tuple(changed),
            gone=tuple(sorted(given.keys() - now.keys())),
            networks=view.networks,
            volumes=view.volumes,
            remove_volumes=view.remove_volumes,
            completed=view.completed,
            hold=view.hold,
            elsewhere=view.elsewhere,
        )

    def describe(self) -> dict[str, object]:
        """What inspection shows beside the runtime's own figures."""
        return {"tasks": len(self._given or {}), "agent": self._agent.agent if self._agent else "none yet"}
