"""TLS for links between nodes, both ways: a peer without a certificate of the cluster gets nothing."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

from transport.identity.node_keys import NodeKeys
from transport.seldom import Seldom

log = logging.getLogger(__name__)


class Witnessed(ssl.SSLObject):
    """Logs why a peer was refused by TLS, which nobody else would: ever more seldom, for anybody may knock.

    A peer that speaks on after this side's last word is no fault: asyncio would log it as one whenever gbnt stops.
    """

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

    def unwrap(self) -> None:
        """See `ssl.SSLObject`."""
        try:
            super().unwrap()
        except ssl.SSLError as error:
            if error.reason != "APPLICATION_DATA_AFTER_CLOSE_NOTIFY":
                raise


def server_context(certificate: Path, authority: bytes) -> ssl.SSLContext:
    """TLS 1.3 by a PEM file of key and certificates, for clients with a certificate of the authority (PEM)."""
    context = _trusting(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), certificate, authority)
    context.sslobject_class = Witnessed
    return context


class ClientTls:
    """The same for who dials with a node's keys: it trusts servers of their authority, by the name that it asks for.

    The files are read once for each certificate, for a machine that cannot reach its manager dials ever again.
    """

    def __init__(self, keys: NodeKeys) -> None:
        self.keys = keys
        self._serial = ""
        self._context: ssl.SSLContext | None = None

    def context(self) -> ssl.SSLContext:
        """By the certificate that there is now. Raises IdentityError where there is none."""
        authority, facts = self.keys.authority, self.keys.facts
        assert facts is not None
        if self._context is None or self._serial != facts.serial:
            plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self._context, self._serial = _trusting(plain, self.keys.path, authority), facts.serial
        return self._context


def _trusting(context: ssl.SSLContext, certificate: Path, authority: bytes) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["h2"])
    context.load_cert_chain(certificate)
    context.load_verify_locations(cadata=authority.decode())
    return context
