"""Keeps a manager's links in step with the state: whoever is a member has one, and whoever is none has none."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

from actors import protocol
from actors.following import FollowAgain, Following
from cluster.model import Node, State
from supervisor.actor import Actor, Context
from supervisor.address import Address
from supervisor.errors import ActorError
from supervisor.message import Terminated, message
from supervisor.spec import ChildSpec

LINKS = "links"
CERTIFICATE = "certificate"
RETRY, LOOK = 0.2, 5.0


class Peers(Protocol):
    """The port to the links of a manager. No call blocks or raises, but `link` for the node itself."""

    @property
    def linked(self) -> Collection[str]:
        """The nodes that links lead to."""

    @property
    def outdated(self) -> Collection[str]:
        """The nodes that came with a certificate which says another role than the state."""

    def know(self, state: State) -> None:
        """Judge by this state from now on who may come in."""

    def link(self, node: str) -> ChildSpec:
        """The child that keeps the link to that node; asked again, the same one."""

    def hang_up(self, node: str) -> None:
        """Close the connection of a node, so that it proves anew who it is."""

    def forget(self, node: str) -> None:
        """Let that node in no more, and close its connection."""


log = logging.getLogger(__name__)


@message("gatekeeper.look/1")
@dataclass(frozen=True, slots=True)
class Look:
    """A timer's tick: a link may be missing, or a node may need its next certificate."""


class Gatekeeper(Actor):
    """`own` is this manager's node. Whatever was missed is made good at the next look."""

    def __init__(self, own: str, peers: Peers) -> None:
        self._own = own
        self._peers = peers
        self._following = Following(RETRY)
        self._nodes: dict[str, Node] = {}

    async def started(self, ctx: Context) -> None:
        """Follow the state."""
        self._following.begin(ctx)
        ctx.timers.every("look", LOOK, Look())

    async def receive(self, message: object, ctx: Context) -> None:
        """Bring the links in step with a state."""
        match message:
            case protocol.Committed(state):
                self._peers.know(state)
                before = self._nodes
                self._nodes = {node.id: node for node in state.nodes.values() if node.id != self._own}
                if before.keys() != self._nodes.keys():
                    await self._open_and_close(ctx)
                self._hang_up(before)
            case Look():
                await self._open_and_close(ctx)
                self._renew(ctx)
            case Terminated() | FollowAgain():
                self._following.go_on(message, ctx)

    async def _open_and_close(self, ctx: Context) -> None:
        for node in sorted(set(self._peers.linked) - self._nodes.keys()):
            self._peers.forget(node)  # first of all, whatever becomes of the link's actor
            await self._try(ctx.system.stop_child(f"{LINKS}/{node}"))
        known = {info.address.path for info in ctx.system.inspect(LINKS)}
        for node in sorted(self._nodes):
            if f"{LINKS}/{node}" not in known:
                await self._try(ctx.system.start_child(LINKS, self._peers.link(node)))

    async def _try(self, change: Awaitable[object]) -> None:
        """Change the links; while their supervisor is between two lives the next look does it."""
        try:
            await change
        except ActorError as error:
            log.warning("the links are changed at the next look: %s", error)

    def _hang_up(self, before: dict[str, Node]) -> None:
        """Whoever's role changed has to come in anew, and so has who got the certificate of its role."""
        for node in self._changed(before):
            self._peers.hang_up(node.id)

    def _changed(self, before: dict[str, Node]) -> Iterable[Node]:
        for node in self._nodes.values():
            known = before.get(node.id, node)
            renewed = known.certificate != node.certificate and node.id in self._peers.outdated
            if renewed or known.role != node.role:
                yield node

    def _renew(self, ctx: Context) -> None:
        for node in sorted(set(self._peers.outdated) & self._nodes.keys()):
            ctx.ref(Address(node, CERTIFICATE)).tell(protocol.RenewCertificate())

    def describe(self) -> dict[str, object]:
        """What inspection shows beside the runtime's own figures."""
        return {"linked": len(self._peers.linked), "outdated": sorted(self._peers.outdated)}
