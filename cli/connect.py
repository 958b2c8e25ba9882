"""From what the person set to a client: which manager, which credential, which certificate authority.

In this order: `--context` or `GBNT_CONTEXT`; the current context; the admin socket of a manager on this machine, which
needs no credential because only its owner may open it. `GBNT_API_TOKEN`, or a file by `GBNT_API_TOKEN_FILE`, takes the
place of the context's token.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.errors import BadInput, NotAllowed
from cli.options import default_data_dir, secret

if TYPE_CHECKING:
    from cli.client import Client
    from cli.context import Context
    from cli.http import httpx

context_option = click.option(
    "--context", metavar="NAME", envvar="GBNT_CONTEXT", show_envvar=True, default="", help="The cluster to talk to."
)

# A manager that vanished without a word is noticed after about 15 + 3 x 5 seconds, however quiet a stream is.
KEEPALIVE = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
]


def connect(name: str = "", *, socket_first: bool = False, environment: Mapping[str, str] = os.environ) -> Client:
    """A client for the named context, or for what the person's settings say.

    `socket_first` prefers this machine's admin socket to the current context: for commands that must work when the
    credential is lost. Raises BadInput for a context that cannot be used, NotAllowed where there is none.
    """
    from cli.client import Client  # httpx comes with it, and costs more than the rest of a command
    from cli.session import Session

    return Client(Session(_http(name, socket_first, environment)))


def admin_socket(environment: Mapping[str, str] = os.environ) -> Path:
    """Where a manager of this machine would answer its owner."""
    return Path(environment.get("GBNT_DATA_DIR") or default_data_dir()) / "run" / "admin.sock"


def _http(name: str, socket_first: bool, environment: Mapping[str, str]) -> httpx.Client:
    from cli.context import config_path, find_context

    path = config_path(environment)
    here = admin_socket(environment)
    if socket_first and not name and os.access(here, os.W_OK):
        return _through_socket(here)
    context = find_context(name, path)
    if context is not None:
        return _through_tls(context, secret("GBNT_API_TOKEN", environment) or context.token)
    if os.access(here, os.W_OK):
        return _through_socket(here)
    raise NotAllowed(
        f"no cluster is known here: {path} has no current context. Start a manager with `gbnt serve`, copy that file "
        "from the machine of one, or run this there as the user that `gbnt serve` runs as"
    )


def _through_socket(path: Path) -> httpx.Client:
    from cli.http import httpx

    # The host is not looked up: it only stands in messages.
    return _client("http://this-machine", {}, httpx.HTTPTransport(uds=str(path), limits=_one_request()))


def _through_tls(context: Context, token: str) -> httpx.Client:
    from cli.http import httpx

    transport = httpx.HTTPTransport(verify=_trust(context), limits=_one_request(), socket_options=KEEPALIVE)
    try:
        return _client(context.server, {"Authorization": f"Bearer {token}"}, transport)
    except httpx.InvalidURL as error:
        raise BadInput(f'the server of context "{context.name}" is no address: {error}') from error


def _client(server: str, headers: dict[str, str], transport: httpx.BaseTransport) -> httpx.Client:
    from cli.http import httpx

    # Longer than the manager waits for its own store, so that it is the manager that says what went wrong.
    timeout = httpx.Timeout(10.0, read=40.0)
    return httpx.Client(transport=transport, base_url=server, headers=headers, timeout=timeout)


def _one_request() -> httpx.Limits:
    """A command asks once or twice and ends: each connection is closed with its answer, and none is left to close."""
    from cli.http import httpx

    return httpx.Limits(max_keepalive_connections=0)


def _trust(context: Context) -> ssl.SSLContext:
    """Trust the cluster's own certificate authority and no other."""
    try:
        return ssl.create_default_context(cadata=context.certificate_authority or None)
    except ssl.SSLError as error:
        raise BadInput(f'the certificate-authority-data of context "{context.name}" is no certificate') from error
