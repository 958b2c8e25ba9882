"""Judges by the links which machines are down, tells the Senate, and has those that are back introduce themselves."""

from __future__ import annotations

import math
from dataclasses import dataclass

from actors import protocol
from actors.machine import Machine
from actors.places import SENATE
from actors.roll import Roll
from cluster.model import Node
from cluster.presence import MOST_LOST, Watch, judge
from supervisor.actor import Actor, Context
from supervisor.address import Address
from supervisor.message import message

LOOK = 1.0
AGENT = "agent/executor"


@message("membership.look/1")
@dataclass(frozen=True, slots=True)
class Look:
    """A timer's tick: a time-out may be over, or what was told may be lost."""


class Membership(Actor):
    """`roll` is what the links say. A peer's name is its node's id."""

    def __init__(self, machine: Machine, roll: Roll) -> None:
        self._machine = machine
        self._roll = roll
        self._began = math.inf
        self._nodes: tuple[Node, ...] = ()
        self._paused = ""
        self._above = MOST_LOST
        self._ailing: dict[str, float] = {}
        self._introduced: dict[str, int] = {}

    async def started(self, ctx: Context) -> None:
        """Look from time to time, whatever is heard."""
        self._began = ctx.now()
        ctx.timers.every("look", LOOK, Look())

    async def receive(self, message: object, ctx: Context) -> None:
        """Judge anew."""
        if isinstance(message, protocol.NodesNow):
            self._nodes, self._paused, self._above = message.nodes, message.paused, message.pause_above
            ailing = [node.id for node in message.nodes if node.status == "unavailable"]
            self._ailing = {node: self._ailing.get(node, ctx.now()) for node in ailing}
        self._judge(ctx)
        self._introduce(ctx, again=isinstance(message, Look))

    def _judge(self, ctx: Context) -> None:
        watch = Watch(self._machine.node, self._began, self._roll.presences, self._ailing)
        judgement = judge(self._nodes, watch, ctx.now(), self._paused, self._above)
        senate = ctx.ref(SENATE)
        if judgement.paused != self._paused:
            senate.tell(protocol.PauseReplacement(judgement.paused))
        for loss in judgement.losses:
            senate.tell(protocol.LoseNode(loss.node, loss.words, loss.replaced, loss.cause))

    def _introduce(self, ctx: Context, *, again: bool) -> None:
        """The other side may not know that it was taken for lost: it is asked, and asked again while it counts so."""
        down = {node.id for node in self._nodes if node.status == "down"}
        for node, presence in self._roll.presences.items():
            news = self._introduced.get(node) != presence.ups
            if presence.status == "up" and (news or (again and node in down)):
                self._introduced[node] = presence.ups
                ctx.ref(Address(node, AGENT)).tell(protocol.Introduce())

    def describe(self) -> dict[str, object]:
        """What inspection shows beside the runtime's own figures."""
        return {
            "peers": {node: presence.status for node, presence in self._roll.presences.items()},
            "paused": self._paused,
        }
