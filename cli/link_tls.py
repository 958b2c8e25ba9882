"""TLS for links between nodes, both ways: a peer without a certificate of the cluster gets nothing."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

from transport.seldom import Seldom

log = logging.getLogger(__name__)


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
