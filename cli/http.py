"""httpx without the parts that no command uses, and the two ways in which a command reaches a manager by it.

httpx carries a command-line program, and httpcore below it an asynchronous half on anyio or trio, and HTTP/2. Both take
what cannot be imported for an optional part that is not installed, and do without: importing all of it would double
the time of every command.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cli.errors import BadInput
from cli.trust import KEEPALIVE, bearer, insist_on_tls, trust

if TYPE_CHECKING:
    from cli.context import Context

__all__ = ["httpx", "through_socket", "through_tls"]


@contextmanager
def _without(*names: str) -> Iterator[None]:
    """Imports of these fail meanwhile. What is imported already stays: somebody else in this process uses it."""
    absent = [name for name in names if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


with _without("httpx._main", "anyio", "trio", "h2", "socksio"):
    import httpcore  # noqa: F401 - httpx imports it late, with its first transport
    import httpx

# A command asks once or twice and ends: each connection is closed with its answer, and none is left to close.
ONE_REQUEST = httpx.Limits(max_keepalive_connections=0)
# Longer than the manager waits for its own store, so that it is the manager that says what went wrong.
TIMEOUT = httpx.Timeout(10.0, read=40.0)


def through_socket(path: Path) -> httpx.Client:
    """A client of the manager that answers at this machine's admin socket."""
    # The host is not looked up: it only stands in messages.
    return _client("http://this-machine", {}, httpx.HTTPTransport(uds=str(path), limits=ONE_REQUEST))


def through_tls(context: Context, token: str) -> httpx.Client:
    """A client of the manager of a context, without a token for who signs in.

    Raises BadInput for a server, a certificate or a token that is none.
    """
    insist_on_tls(context)
    headers = {"Authorization": bearer(context, token)} if token else {}
    transport = httpx.HTTPTransport(verify=trust(context), limits=ONE_REQUEST, socket_options=KEEPALIVE)
    try:
        return _client(context.server, headers, transport)
    except httpx.InvalidURL as error:
        raise BadInput(f'the server of context "{context.name}" is no address: {error}') from error


def _client(server: str, headers: Mapping[str, str], transport: httpx.BaseTransport) -> httpx.Client:
    return httpx.Client(transport=transport, base_url=server, headers=headers, timeout=TIMEOUT)
