"""Keeps this node's certificate fresh: renewed at half of its life, and sooner where a manager says so."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from actors import protocol
from actors.machine import Machine
from actors.places import SENATE
from supervisor.actor import Actor, Context
from supervisor.message import message

LOOK, RETRY = 60.0, 10.0

log = logging.getLogger(__name__)


class NotRenewed(Exception):
    """There is no new certificate. The text is a sentence for a person."""


@dataclass(frozen=True, slots=True)
class Held:
    """The certificate that a node has. `renew_at` and `expires_at` are in seconds since the epoch, `serial` is hex."""

    serial: str
    renew_at: float
    expires_at: float


class Certificate(Protocol):
    """The port to the node's keys."""

    @property
    def held(self) -> Held:
        """The present one."""

    async def renew(self) -> None:
        """Have the next one in its place, durably. Raises NotRenewed."""


@message("certificate.look/1")
@dataclass(frozen=True, slots=True)
class Look:
    """A timer's tick: it may be time to renew."""


@message("certificate.renewed/1")
@dataclass(frozen=True, slots=True)
class Renewed:
    """From the actor to itself: how a renewal ended; `problem` is empty where it went well."""

    problem: str


class CertificateActor(Actor):
    """A manager signs its own and tells the Senate; a worker asks a manager, which does. `clock` is the time of day."""

    def __init__(self, certificate: Certificate, machine: Machine, clock: Callable[[], float]) -> None:
        self._certificate = certificate
        self._machine = machine
        self._clock = clock
        self._problem = ""
        self._renewing = False

    async def started(self, ctx: Context) -> None:
        """Look at once: the machine may have been off for long."""
        ctx.self.tell(Look())

    async def receive(self, message: object, ctx: Context) -> None:
        """Renew where it is time."""
        match message:
            case Look():
                self._look(ctx)
            case protocol.RenewCertificate():
                self._renew(ctx)
            case Renewed(problem):
                self._renewing, self._problem = False, problem
                ctx.timers.start("look", RETRY if problem else 0.0, Look())

    def _look(self, ctx: Context) -> None:
        held = self._certificate.held
        if self._clock() >= held.renew_at:
            self._renew(ctx)
        elif not self._machine.manager:
            ctx.ref(SENATE).tell(protocol.CertifyNode(self._machine.node, held.serial, held.expires_at))
        ctx.timers.start("look", LOOK, Look())

    def _renew(self, ctx: Context) -> None:
        if not self._renewing:
            self._renewing = True
            ctx.spawn("renew", self._ask)

    async def _ask(self) -> Renewed:
        try:
            await self._certificate.renew()
        except NotRenewed as error:
            log.warning("the certificate of this node is not renewed yet: %s", error)
            return Renewed(str(error))
        return Renewed("")

    def describe(self) -> dict[str, object]:
        """What inspection shows beside the runtime's own figures."""
        held = self._certificate.held
        return {"problem": self._problem, "serial": held.serial, "expires_at": held.expires_at}
