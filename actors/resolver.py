"""Keeps this machine's resolver alive and tells it what every name answers with.

The resolver is a process of its own that outlives gbnt. This actor adopts it or starts it, and publishes the zones that
the manager works out for it, here or on another node.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

from actors import protocol
from actors.machine import Machine
from actors.places import DISPATCHER
from cluster.zones import Zones
from supervisor.actor import Actor, Context, Envelope
from supervisor.message import Terminated, message

LOOK = 5.0
RETRY = 0.5


@dataclass(frozen=True, slots=True)
class Standing:
    """How a resolver stands: the serial of the zones it answers by, and what keeps it from some of its addresses."""

    serial: int
    problem: str = ""


class Resolver(Protocol):
    """The port to the resolver process. Both calls raise `Unreachable` with a sentence when it is not there."""

    async def ensure(self) -> Standing:
        """Adopt the resolver that runs, or start one."""

    async def publish(self, zones: Zones) -> None:
        """Put zones in force; returns when every answer is by them."""


class Unreachable(Exception):
    """The resolver does not answer, or could not be started. The text is a sentence for a person."""


@message("resolver.look/1")
@dataclass(frozen=True, slots=True)
class Look:
    """A timer's tick: see that the resolver is there."""


@message("resolver.ask/1")
@dataclass(frozen=True, slots=True)
class Ask:
    """A timer's tick: ask for the names."""


class ResolverActor(Actor):
    """Publishes the names that the manager gives this machine. What went wrong last is shown by inspection and health.

    It says from time to time by which names it answers, so that what was lost on its way is told again. Of the names
    that came in while it published it takes the newest alone: the others are history.
    """

    batch: ClassVar[int] = 256

    def __init__(self, resolver: Resolver, machine: Machine) -> None:
        self._resolver = resolver
        self._machine = machine
        self._wanted: Zones | None = None
        self._published: Zones | None = None
        self._problem = "is starting"
        self._reachable = False

    async def started(self, ctx: Context) -> None:
        """Ask for the names; the resolver itself is looked for in the background of that."""
        self._ask(ctx)
        ctx.self.tell(Look())

    async def receive_batch(self, envelopes: Sequence[Envelope], ctx: Context) -> None:
        """Take in all that waits, and of the names the last ones."""
        messages = [envelope.message for envelope in envelopes]
        names = [index for index, message in enumerate(messages) if isinstance(message, protocol.NamesNow)]
        for index, one in enumerate(messages):
            if index not in names[:-1]:
                await self.receive(one, ctx)

    async def receive(self, message: object, ctx: Context) -> None:
        """Publish names if they differ from the last ones, or see to the resolver."""
        match message:
            case protocol.NamesNow(zones):
                self._wanted = zones
                await self._publish(ctx)
            case Look():
                await self._ensure(ctx)
            case Ask():
                self._ask(ctx)
            case Terminated():
                ctx.timers.start("ask", RETRY, Ask())

    def _ask(self, ctx: Context) -> None:
        dispatcher = ctx.ref(self._machine.at_manager(DISPATCHER, ctx.address))
        ctx.watch(dispatcher)
        serial = -1 if self._wanted is None else self._wanted.serial
        dispatcher.tell(protocol.WantNames(self._machine.node, str(ctx.address), serial))
        ctx.timers.start("ask", RETRY if self._wanted is None else LOOK, Ask())

    async def _ensure(self, ctx: Context) -> None:
        pause = LOOK
        try:
            standing = await self._resolver.ensure()
            self._reachable, self._problem = True, standing.problem
            if self._published is None or self._published.serial != standing.serial:
                self._published = None  # it began anew, or another gbnt told it: say it again
            await self._publish(ctx)
        except Unreachable as error:
            self._reachable, self._problem, pause = False, str(error), RETRY
        ctx.timers.start("look", pause, Look())

    async def _publish(self, ctx: Context) -> None:
        wanted = self._wanted
        if not self._reachable or wanted is None or _same(wanted, self._published):
            return
        try:
            await self._resolver.publish(wanted)
            self._published = wanted
        except Unreachable as error:
            self._reachable, self._problem = False, str(error)
            ctx.timers.start("look", 0.0, Look())

    def describe(self) -> dict[str, object]:
        """What inspection shows beside the runtime's own figures. `problem` is empty when names resolve."""
        return {"problem": self._problem, "serial": self._published.serial if self._published else 0}


def _same(one: Zones, other: Zones | None) -> bool:
    """Whether two zones answer alike; the serial alone is no difference."""
    return other is not None and replace(one, serial=0) == replace(other, serial=0)
