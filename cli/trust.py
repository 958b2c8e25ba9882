"""What every connection to a manager rests on: whom it trusts, and how soon a manager is missed."""

from __future__ import annotations

import re
import socket
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cli.errors import BadInput, Unreachable
from cli.words import shown_url

if TYPE_CHECKING:
    from cli.context import Context

SENDABLE = re.compile(r"[!-~]+")
# A manager that vanished without a word is noticed after about 15 + 3 x 5 seconds, however quiet a stream is.
KEEPALIVE = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
]


def insist_on_tls(context: Context) -> None:
    """Raise BadInput for a server that everybody on the way could read what is sent to, and for what is no address.

    One on this machine itself, by its address, may do without TLS.
    """
    try:
        url = urlsplit(context.server)
        scheme, host = url.scheme, url.hostname or ""
    except ValueError as error:
        raise BadInput(f'the server of context "{context.name}" is no address: {error}') from error
    if scheme == "https":
        return
    from cli.machine import is_loopback  # which the rule can do without

    if scheme != "http" or not is_loopback(host):
        raise BadInput(
            f'nothing was sent to "{shown_url(context.server)}", the server of context "{context.name}": tokens and '
            "passwords go by https:// alone; `gbnt config set-context NAME --server https://HOST:PORT` sets another"
        )


def trust(context: Context) -> ssl.SSLContext:
    """Trust the cluster's own certificate authority and no other. Raises BadInput where it is none."""
    try:
        return ssl.create_default_context(cadata=context.certificate_authority or None)
    except (ssl.SSLError, TypeError) as error:  # the latter for what is not ASCII
        raise BadInput(f'the certificate-authority-data of context "{context.name}" is no certificate') from error


def bearer(context: Context, token: str) -> str:
    """What the header `Authorization` says for a token. Raises BadInput, which never repeats it, where it cannot."""
    if not SENDABLE.fullmatch(token):
        raise BadInput(
            f'the token for context "{context.name}" has a blank, a line\'s end or what is not ASCII in it: see '
            "GBNT_API_TOKEN, or set it anew by `gbnt config set-context --token-stdin`"
        )
    return f"Bearer {token}"


def unsendable(server: str) -> Unreachable:
    """For a request that cannot be written as HTTP. What is wrong with it is not repeated: it may be a secret."""
    return Unreachable(f"nothing was sent to {shown_url(server)}: a header of the request has what HTTP does not allow")


def unreachable(server: str, error: Exception, *, connected: bool) -> Unreachable:
    """What broke the way to the manager at `server`, in words: before it was `connected`, or after."""
    server = shown_url(server)
    certificate = _certificate_problem(error)
    if certificate:
        return Unreachable(
            f"{server} showed a certificate that this context's CA did not sign ({certificate}): it is another "
            "cluster, or the manager was set up anew; take its context from the machine that it runs on"
        )
    if not connected:
        return Unreachable(
            f"no manager answers at {server} ({error}); see that `gbnt serve` runs there and that its port is open"
        )
    return Unreachable(
        f"the connection to {server} broke before the answer ({str(error) or type(error).__name__}); "
        "what was asked may have been done: look, and try again",
        sent=True,
    )


def _certificate_problem(error: BaseException | None) -> str:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        error = error.__cause__ or error.__context__
    return ""
