"""Tells nodes that are not heard where this manager is: after a restore it may be where they do not look for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Protocol

from actors import protocol
from actors.following import FollowAgain, Following
from actors.roll import Roll
from cluster.model import Node
from supervisor.actor import Actor, Context
from supervisor.message import Terminated, message

RETRY, CALL = 0.2, 3.0


class Unanswered(Exception):
    """The node does not hear: it is down indeed, or cannot be reached from here, and will have to find its way."""


class Voice(Protocol):
    """The port to nodes that have no link to this manager."""

    async def call(self, node: Node) -> None:
        """Tell it where this manager is. Raises Unanswered."""


@message("herald.call/1")
@dataclass(frozen=True, slots=True)
class Call:
    """A timer's tick: call those who are not heard."""


class Herald(Actor):
    """`own` is this manager's node, `roll` tells who is heard. Each node is called by one call at a time."""

    def __init__(self, own: str, roll: Roll, voice: Voice) -> None:
        self._own = own
        self._roll = roll
        self._voice = voice
        self._following = Following(RETRY)
        self._others: dict[str, Node] = {}
        self._calling: set[str] = set()

    async def started(self, ctx: Context) -> None:
        """Follow the state."""
        self._following.begin(ctx)
        ctx.timers.every("call", CALL, Call())

    async def receive(self, message: object, ctx: Context) -> None:
        """Note who there is, and call those who are not heard."""
        match message:
            case protocol.Committed(state):
                others = (node for node in state.nodes.values() if node.id != self._own)
                self._others = {node.id: node for node in others if node.link_port}
            case Call():
                for node in self._unheard() - self._calling:
                    self._calling.add(node)
                    ctx.spawn(f"call:{node}", partial(self._call, self._others[node]))
            case Terminated() | FollowAgain():
                self._following.go_on(message, ctx)

    def _unheard(self) -> set[str]:
        heard = {node for node, presence in self._roll.presences.items() if presence.status != "down"}
        return self._others.keys() - heard

    async def _call(self, node: Node) -> None:
        try:
            await self._voice.call(node)
        except Unanswered:
            pass
        finally:
            self._calling.discard(node.id)

    def describe(self) -> dict[str, object]:
        """What inspection shows beside the runtime's own figures."""
        return {"unheard": sorted(self._unheard())}
