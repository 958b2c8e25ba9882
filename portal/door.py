"""A door: one listening address with an application behind it, as a supervised actor."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import Any

from starlette.types import ASGIApp

from portal.server import serve, tls_context
from portal.sockets import describe
from supervisor.actor import Actor, Context
from supervisor.message import message

RENEW_SECONDS = 3600.0

Serve = Callable[[Any, socket, ssl.SSLContext | None], Awaitable[None]]

log = logging.getLogger(__name__)


@message("door.renew/1")
@dataclass(frozen=True, slots=True)
class Renew:
    """A timer's tick: the certificate may be due."""


class Door(Actor):
    """Open once it is started: connections are taken from then on.

    `bind` gives a listening socket (DoorError fails the start). `certificate` gives the PEM file of the key and its
    certificates, made anew where it is due; none is plain HTTP. `tls` makes the server's context of that file, and
    `serve` serves the application on the socket until cancelled.
    """

    def __init__(
        self,
        app: ASGIApp,
        bind: Callable[[], socket],
        certificate: Callable[[], Path] | None = None,
        tls: Callable[[Path], ssl.SSLContext] = tls_context,
        serve: Serve = serve,
    ) -> None:
        self._app = app
        self._bind = bind
        self._certificate = certificate
        self._make_tls = tls
        self._serve = serve
        self._tls: ssl.SSLContext | None = None
        self._address = self._problem = ""

    async def started(self, ctx: Context) -> None:
        """Listen, and begin to serve."""
        if self._certificate is not None:
            self._tls = self._make_tls(self._certificate())
            ctx.timers.every("renew", RENEW_SECONDS, Renew())
        sock = self._bind()
        self._address = describe(sock)
        ctx.spawn("serve", self._serve, self._app, sock, self._tls)

    async def receive(self, message: object, ctx: Context) -> None:
        """Have new connections see a certificate that is not worn."""
        if isinstance(message, Renew) and self._tls is not None and self._certificate is not None:
            try:
                self._tls.load_cert_chain(self._certificate())
                self._problem = ""
            except OSError as error:
                self._problem = f"the certificate is not renewed yet: {error}"
                log.error("%s", self._problem)

    def describe(self) -> Mapping[str, object]:
        """Where it listens."""
        return {"listens": self._address, "problem": self._problem}
