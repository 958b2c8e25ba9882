"""Takes channels over HTTP/2: pairs the two requests of a peer by their session, and serves them by hypercorn."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import replace
from socket import socket
from typing import Any, Protocol, cast

import anyio
import h2.settings
from hypercorn.config import Config, Sockets

from transport.channel import Accept, Authenticate, ChannelClosed, Peer, Refusal
from transport.dialer import CONDUIT, DOWN, FLUSH_SECONDS, SESSION, UP
from transport.seldom import Seldom
from transport.stream import StreamChannel

PAIR_SECONDS = 5.0
# For a connection without a stream: nobody comes back to it, and so long hypercorn holds one that its peer has closed.
KEEP_ALIVE_SECONDS = 5.0
MOST_REQUESTS = 10_000_000
GRACE_SECONDS = 1.0
# More than a link has on its way (`Limits.window_bytes`, or one message), so that HTTP/2 never holds it up: httpx, once
# held up, goes on only at the next thing that it reads.
WINDOW = 64 * 1024 * 1024
FRAME = 256 * 1024
LARGEST = 4096

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

log = logging.getLogger(__name__)


class Listener:
    """An ASGI application. Each peer that `authenticate` knows, and that opens both streams, goes to `accept`.

    Who is refused gets status 403 and one sentence, or 410 as a node that was removed; anything else that is asked for
    does not exist. A channel is closed when the peer's proof is good no more: it has to prove itself again.
    """

    def __init__(self, authenticate: Authenticate, accept: Accept) -> None:
        self._authenticate = authenticate
        self._accept = accept
        self._sessions: dict[str, Half] = {}
        self._seldom = Seldom()

    def close(self) -> None:
        """End all channels."""
        for half in self._sessions.values():
            half.channel.end("this node stops")
            half.paired.set()

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        prepare(send)
        headers, request = headers_of(scope), (scope["method"], scope["path"])
        if request not in (("GET", DOWN), ("POST", UP)):
            await answer(send, 404, "there is nothing here but links between nodes")
            return
        peer = self._authenticate(headers)
        if isinstance(peer, Refusal):
            if self._seldom.due(peer.reason):
                log.warning("refused a connection: %s", peer.reason)
            await answer(send, 410 if peer.dismissed else 403, peer.said)
            return
        session = headers.get(SESSION, "")
        if request == ("POST", UP):
            await self._up(peer, session, receive, send)
        else:
            there = replace(peer, address=address_of(scope))
            await self._down(StreamChannel(there, headers.get(CONDUIT, "")), session, receive, send)

    async def _down(self, channel: StreamChannel, session: str, receive: Receive, send: Send) -> None:
        if not session or session in self._sessions:
            await answer(send, 403, f"the session {session!r} is not new: begin one of your own")
            return
        half = self._sessions[session] = Half(channel)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            with anyio.move_on_after(PAIR_SECONDS):
                await half.paired.wait()
            if half.paired.is_set() and not channel.over.is_set():
                await self._serve(channel, receive, send)
        finally:
            channel.close()
            del self._sessions[session]
        await _finish(send, b"")

    async def _serve(self, channel: StreamChannel, receive: Receive, send: Send) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(_move_out, channel, send)
            group.start_soon(_end_with, channel, receive)
            group.start_soon(self._hand_over, channel)
            with anyio.move_on_after(channel.peer.lasts):
                await channel.over.wait()
            channel.end(f"the certificate of {channel.peer.node} has ended")
            with anyio.move_on_after(FLUSH_SECONDS):
                await channel.flushed.wait()
            group.cancel_scope.cancel()

    async def _hand_over(self, channel: StreamChannel) -> None:
        await self._accept(channel)
        channel.close()

    async def _up(self, peer: Peer, session: str, receive: Receive, send: Send) -> None:
        half = self._sessions.get(session)
        if half is None or half.paired.is_set() or half.channel.peer != peer:
            await answer(send, 403, f"the session {session!r} was not opened by {peer.node}, or has both its streams")
            return
        half.paired.set()
        channel = half.channel
        async with anyio.create_task_group() as group:
            group.start_soon(_move_in, half, receive)
            await channel.over.wait()
            # Who is told by the other stream that it is over ends this one: that is quieter than to break it off.
            with anyio.move_on_after(FLUSH_SECONDS):
                await half.at_end.wait()
            group.cancel_scope.cancel()
        await answer(send, 200, "")


class Half:
    """A channel of which one stream is open."""

    def __init__(self, channel: StreamChannel) -> None:
        self.channel = channel
        self.paired = anyio.Event()
        self.at_end = anyio.Event()


async def _move_in(half: Half, receive: Receive) -> None:
    channel = half.channel
    while (message := await receive())["type"] == "http.request":
        if message["body"] and not channel.over.is_set():
            try:
                await channel.incoming.put(message["body"])
            except ChannelClosed:
                pass
        if not message["more_body"]:
            break
    channel.end(f"{channel.peer.node} closed the connection")
    half.at_end.set()


async def _move_out(channel: StreamChannel, send: Send) -> None:
    try:
        while True:
            data = await channel.outgoing.take()
            await send({"type": "http.response.body", "body": data, "more_body": True})
    except ChannelClosed:
        channel.flushed.set()


async def _end_with(channel: StreamChannel, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    channel.end(f"{channel.peer.node} closed the connection")


def headers_of(scope: Mapping[str, Any]) -> dict[str, str]:
    """A request's headers, their names in lower case."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def address_of(scope: Mapping[str, Any]) -> str:
    """The address that a request came from; empty where the server does not know."""
    client = scope.get("client")
    return str(client[0]) if client else ""


async def answer(send: Send, status: int, text: str) -> None:
    """Answer a request with a text, and end it."""
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain")]})
    await _finish(send, text.encode())


async def _finish(send: Send, rest: bytes) -> None:
    # The peer may be gone, and hypercorn then waits for it for ever.
    with anyio.move_on_after(FLUSH_SECONDS):
        await send({"type": "http.response.body", "body": rest, "more_body": False})


async def lifespan(receive: Receive, send: Send) -> None:
    """Play along with the server's beginning and end: nothing hangs on either."""
    while True:
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return


class Streams(dict[int, Any]):
    """Hypercorn's streams of a connection. It fails where data arrive on one that has ended: here they go nowhere."""

    def __missing__(self, id: int) -> Any:
        return self

    async def handle(self, event: object) -> None:
        """Do nothing."""


def prepare(send: Send) -> None:
    """Let a connection carry more at once, and let no peer break the server: hypercorn has no settings for either.

    Where another release keeps its connection elsewhere, nothing is changed; a test would notice.
    """
    protocol = getattr(getattr(getattr(send, "__self__", None), "send", None), "__self__", None)
    connection = getattr(protocol, "connection", None)
    if protocol is None or connection is None or isinstance(protocol.streams, Streams):
        return
    protocol.streams = Streams(protocol.streams)
    codes = h2.settings.SettingCodes
    connection.update_settings({codes.INITIAL_WINDOW_SIZE: WINDOW, codes.MAX_FRAME_SIZE: FRAME})
    connection.increment_flow_control_window(WINDOW)


class Application(Protocol):
    """What may be served at a node's door for other nodes."""

    def close(self) -> None:
        """Let go of whatever is open."""

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer a request, by ASGI."""


async def serve(app: Application, sock: socket, tls: ssl.SSLContext | None) -> None:
    """Serve on a listening socket, which is closed in the end, until cancelled; then the application is closed.

    `tls` is the server's context, TLS 1.3 and a certificate of every client; None for tests alone.
    """
    shutdown = anyio.Event()
    with sock:
        async with anyio.create_task_group() as group:
            group.start_soon(_end_when_cancelled, app, shutdown)
            with anyio.CancelScope(shield=True):
                # The trigger also keeps hypercorn from taking over the process's signals.
                await _hypercorn()(cast(Any, app), _Bound(sock, tls), shutdown_trigger=shutdown.wait)
            group.cancel_scope.cancel()


def _hypercorn() -> Callable[..., Awaitable[None]]:
    """Return hypercorn's server for the event loop that runs."""
    if anyio.get_cancelled_exc_class().__module__.startswith("trio"):
        from hypercorn.trio import serve as on_trio

        return on_trio
    from hypercorn.asyncio import serve as on_asyncio

    return on_asyncio


async def _end_when_cancelled(app: Application, shutdown: anyio.Event) -> None:
    try:
        await anyio.sleep_forever()
    finally:
        app.close()
        shutdown.set()


class _Bound(Config):
    """Hypercorn's settings for a socket that is open already."""

    errorlog = None
    accesslog = None
    include_server_header = False
    include_date_header = False
    # At its limit of requests hypercorn breaks a connection with all that is under way.
    keep_alive_timeout = KEEP_ALIVE_SECONDS
    keep_alive_max_requests = MOST_REQUESTS
    graceful_timeout = GRACE_SECONDS
    max_app_queue_size = 64

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
