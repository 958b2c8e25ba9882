"""The door for links between nodes: mutual TLS, so that a peer without a certificate of the cluster gets nothing."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from socket import socket

from portal.sockets import describe
from supervisor.actor import Actor, Context
from supervisor.message import message
from transport.identity import IdentityError
from transport.listener import Application, serve
from transport.seldom import Seldom

RENEW_SECONDS = 3600.0

log = logging.getLogger(__name__)


@message("link_door.renew/1")
@dataclass(frozen=True, slots=True)
class Renew:
    """A timer's tick: the certificate may be due."""


class LinkDoor(Actor):
    """Open once it is started. `bind` gives a listening socket (DoorError fails the start).

    `certificate` gives the PEM file of this server's key and certificates, made anew where it is due; of clients a
    certificate of `authority` (PEM) is demanded.
    """

    def __init__(
        self, app: Application, bind: Callable[[], socket], certificate: Callable[[], Path], authority: bytes
    ) -> None:
        self._app = app
        self._bind = bind
        self._certificate = certificate
        self._authority = authority
        self._tls: ssl.SSLContext | None = None
        self._address = self._problem = ""

    async def started(self, ctx: Context) -> None:
        """Listen, and begin to serve."""
        self._tls = server_context(self._certificate(), self._authority)
        sock = self._bind()
        self._address = describe(sock)
        ctx.timers.every("renew", RENEW_SECONDS, Renew())
        ctx.spawn("serve", serve, self._app, sock, self._tls)

    async def receive(self, message: object, ctx: Context) -> None:
        """Have new connections see a certificate that is not worn."""
        if isinstance(message, Renew) and self._tls is not None:
            try:
                self._tls.load_cert_chain(self._certificate())
                self._problem = ""
            except (IdentityError, OSError) as error:
                self._problem = f"the certificate is not renewed yet: {error}"
                log.error("%s", self._problem)

    def describe(self) -> Mapping[str, object]:
        """Where it listens."""
        return {"listens": self._address, "problem": self._problem}


class Witnessed(ssl.SSLObject):
    """Logs why a peer was refused by TLS, which nobody else would: ever more seldom, for anybody may knock."""

    seldom = Seldom()

    def do_handshake(self) -> None:
        """See `ssl.SSLObject`."""
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            why = getattr(error, "verify_message", "") or str(error.reason)
            if self.seldom.due(why):
                log.warning("refused a connection in its handshake: %s", why)
            raise


def server_context(certificate: Path, authority: bytes) -> ssl.SSLContext:
    """TLS 1.3 by a PEM file of key and certificates, for clients with a certificate of the authority (PEM)."""
    context = _trusting(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), certificate, authority)
    context.sslobject_class = Witnessed
    return context


def client_context(certificate: Path, authority: bytes) -> ssl.SSLContext:
    """The same for who dials: it trusts servers of the authority, by the name that it asks for."""
    return _trusting(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), certificate, authority)


def _trusting(context: ssl.SSLContext, certificate: Path, authority: bytes) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["h2"])
    context.load_cert_chain(certificate)
    context.load_verify_locations(cadata=authority.decode())
    return context
