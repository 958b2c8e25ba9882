"""Serves ASGI applications by hypercorn: the only module that knows it."""

from __future__ import annotations

import ssl
from pathlib import Path
from socket import socket
from typing import Any, cast

import anyio
from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config, Sockets
from starlette.types import ASGIApp, Receive, Scope, Send

from portal.api.parting import CLOSING

KEEP_ALIVE_SECONDS = 75.0
GRACE_SECONDS = 1.0
LARGEST_MESSAGE = 256 * 1024
MOST_REQUESTS = 10_000_000


def tls_context(certificate: Path) -> ssl.SSLContext:
    """TLS 1.3 only, by a PEM file that holds the key and its certificates. Loading the file anew renews the context."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["h2", "http/1.1"])
    context.load_cert_chain(certificate)
    return context


async def serve(app: ASGIApp, sock: socket, tls: ssl.SSLContext | None = None) -> None:
    """Serve on a listening socket, which is closed in the end. Needs asyncio.

    Cancellation lets nobody in any more, ends streams, and gives other requests a second to come to their end.
    """
    shutdown = anyio.Event()

    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, CLOSING: shutdown}, receive, send)

    with sock:
        async with anyio.create_task_group() as group:
            group.start_soon(_set_when_cancelled, shutdown)
            with anyio.CancelScope(shield=True):
                # The trigger also keeps hypercorn from taking over the process's signals.
                await hypercorn_serve(cast(Any, told), _Bound(sock, tls), shutdown_trigger=shutdown.wait)
            group.cancel_scope.cancel()


async def _set_when_cancelled(shutdown: anyio.Event) -> None:
    try:
        await anyio.sleep_forever()
    finally:
        shutdown.set()


class _Bound(Config):
    """Hypercorn's settings for a socket that is open already."""

    errorlog = None
    accesslog = None
    include_server_header = False
    keep_alive_timeout = KEEP_ALIVE_SECONDS
    # At hypercorn's limit of 1,000 requests a connection breaks with their outcome unknown.
    keep_alive_max_requests = MOST_REQUESTS
    graceful_timeout = GRACE_SECONDS
    websocket_max_message_size = LARGEST_MESSAGE
    backlog = 1_000

    def __init__(self, sock: socket, tls: ssl.SSLContext | None) -> None:
        super().__init__()
        self._socket = sock
        self._tls = tls

    @property
    def ssl_enabled(self) -> bool:
        return self._tls is not None

    def create_ssl_context(self) -> ssl.SSLContext | None:
        return self._tls

    def create_sockets(self) -> Sockets:
        secure, plain = ([self._socket], []) if self._tls else ([], [self._socket])
        return Sockets(secure, plain, [])
