"""From what the person set to a client: which manager, which credential, which certificate authority.

In this order: `--context` or `GBNT_CONTEXT`; the current context; the admin socket of a manager on this machine, which
needs no credential because only its owner may open it. `GBNT_API_TOKEN`, or a file by `GBNT_API_TOKEN_FILE`, takes the
place of the context's token. Commands on credentials take the socket before the current context where that is this
machine's cluster, and no token is given: they must work when the credential is lost.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from cli.errors import NotAllowed
from cli.options import default_data_dir, secret

if TYPE_CHECKING:
    from cli.client import Client
    from cli.context import Context
    from cli.http import httpx
    from cli.websocket import WebSocket

T = TypeVar("T")

context_option = click.option(
    "--context", metavar="NAME", envvar="GBNT_CONTEXT", show_envvar=True, default="", help="The cluster to talk to."
)


def connect(name: str = "", *, socket_first: bool = False, environment: Mapping[str, str] = os.environ) -> Client:
    """A client for the named context, or for what the person's settings say.

    `socket_first` prefers this machine's admin socket to a current context of the same cluster: for commands that must
    work when the credential is lost. Raises BadInput for a context that cannot be used, NotAllowed where there is none.
    """
    return _client(_http(name, socket_first, environment))


def connect_here(environment: Mapping[str, str] = os.environ) -> Client:
    """A client for the manager on this machine, whatever context is current. It is not asked whether there is one."""
    from cli.http import through_socket

    return _client(through_socket(admin_socket(environment)))


def admin_socket(environment: Mapping[str, str] = os.environ) -> Path:
    """Where a manager of this machine would answer its owner."""
    return _data_dir(environment) / "run" / "admin.sock"


def _data_dir(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("GBNT_DATA_DIR") or default_data_dir())


def _client(http: httpx.Client) -> Client:
    from cli.client import Client  # httpx comes with it, and costs more than the rest of a command
    from cli.session import Session

    return Client(Session(http))


def _http(name: str, socket_first: bool, environment: Mapping[str, str]) -> httpx.Client:
    from cli.http import through_socket, through_tls

    return _way(name, socket_first, environment, through_socket, through_tls)


def open_websocket(path: str, protocol: str, name: str = "", environment: Mapping[str, str] = os.environ) -> WebSocket:
    """A WebSocket to a path of the API, on the way that `connect` takes.

    Raises what `connect` raises, Unreachable, and what the manager refuses it with.
    """
    from cli.websocket import through_socket, through_tls

    return _way(name, False, environment, partial(through_socket, path, protocol), partial(through_tls, path, protocol))


def _way(
    name: str,
    socket_first: bool,
    environment: Mapping[str, str],
    through_socket: Callable[[Path], T],
    through_tls: Callable[[Context, str], T],
) -> T:
    """Reach the manager that is meant, on the way that leads there."""
    from cli.context import config_path, find_context

    path = config_path(environment)
    here = admin_socket(environment)
    context, token = find_context(name, path), secret("GBNT_API_TOKEN", environment)
    if socket_first and not (name or token) and _is_ours(context, environment) and os.access(here, os.W_OK):
        return through_socket(here)
    if context is not None:
        return through_tls(context, token or context.token)
    if os.access(here, os.W_OK):
        return through_socket(here)
    raise NotAllowed(
        f"no cluster is known here: {path} has no current context. Start a manager with `gbnt serve`, copy that file "
        "from the machine of one, or run this there as the user that `gbnt serve` runs as"
    )


def _is_ours(context: Context | None, environment: Mapping[str, str]) -> bool:
    """Whether a context leads to this machine's cluster, or to none at all."""
    if context is None:
        return True
    try:
        authority = (_data_dir(environment) / "pki" / "ca.pem").read_bytes()
    except OSError:
        return False
    return bool(context.certificate_authority) and context.certificate_authority.encode() in authority
