"""Opens channels over HTTP/2: a request whose body is what goes up, and one whose response is what comes down."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from secrets import token_hex
from typing import Self

import anyio
import h2.exceptions
import httpx

from transport.channel import Channel, ChannelClosed, Dial, Dismissed, Peer
from transport.reach import reach
from transport.stream import StreamChannel

UP, DOWN = "/link/up", "/link/down"
SESSION, CONDUIT = "gbnt-session", "gbnt-conduit"
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 10.0
FLUSH_SECONDS = 0.5
MOST_REFUSAL = 4096

# All that httpx lets through. Its connection may break at any point of h2's state.
FAILURES = (httpx.HTTPError, httpx.StreamError, h2.exceptions.H2Error, OSError)


Headers = Callable[[], Mapping[str, str]]


def http2_dialer(
    peer: str,
    url: str,
    tls: ssl.SSLContext | None,
    headers: Headers,
    *,
    server_name: str = "",
    conduit: str = "",
) -> Dial:
    """Return what connects to a node that is served at `url` (`https://rome-1:4003`; without TLS for tests alone).

    `tls` holds this node's certificate and what it trusts. The server's certificate must be for `server_name`, or for
    the host of the URL. `headers` prove to it who this node is, and are called at each request: a proof counts once.
    `conduit` says which one the channel is for; without, it is for the link.
    """
    purpose = {CONDUIT: conduit} if conduit else {}
    extensions = {"sni_hostname": server_name} if server_name else {}

    @asynccontextmanager
    async def dial() -> AsyncIterator[Channel]:
        timeout = httpx.Timeout(None, connect=CONNECT_SECONDS)
        session = {**purpose, SESSION: token_hex(16)}
        async with httpx.AsyncClient(
            http1=False,
            http2=True,
            verify=tls or False,
            base_url=url,
            timeout=timeout,
            headers=session,
            trust_env=False,
        ) as client:
            if not conduit:  # one is asked for by a link: the way is open
                await _reach(client.base_url)
            down = await _open(client, peer, _request(client, "GET", DOWN, headers, extensions))
            channel = StreamChannel(Peer(peer), conduit)
            # Shielded: what is said last by who is cancelled, a goodbye, is still to be moved.
            scopes = anyio.CancelScope(shield=True), anyio.CancelScope(shield=True)
            try:
                async with anyio.create_task_group() as group:
                    up = _request(client, "POST", UP, headers, extensions, Body(channel))
                    group.start_soon(_go_up, client, up, channel, scopes[0])
                    group.start_soon(_come_down, down, channel, scopes[1])
                    try:
                        yield channel
                    finally:
                        channel.close()
                        with anyio.move_on_after(FLUSH_SECONDS, shield=True):
                            await channel.flushed.wait()
                        for scope in scopes:
                            scope.cancel()
            finally:
                with anyio.CancelScope(shield=True):
                    await _close(down)

    return dial


def _request(
    client: httpx.AsyncClient,
    method: str,
    path: str,
    headers: Headers,
    extensions: Mapping[str, str],
    body: httpx.AsyncByteStream | None = None,
) -> httpx.Request:
    every = {**client.headers, **headers(), "host": client.base_url.netloc.decode()}
    if body is not None:
        every["transfer-encoding"] = (
            "chunked"  # what httpx would add: there is a body. HTTP/2 does not send that header
        )
    return httpx.Request(method, client.base_url.join(path), headers=every, stream=body, extensions=dict(extensions))


async def _reach(url: httpx.URL) -> None:
    try:
        await reach(url.host, url.port or 443, CONNECT_SECONDS)
    except TimeoutError:
        raise ChannelClosed(f"{url} did not answer within {CONNECT_SECONDS:g} s") from None
    except OSError as error:
        raise ChannelClosed(f"{url} cannot be reached: {_explain(error)}") from error


async def _open(client: httpx.AsyncClient, peer: str, request: httpx.Request) -> httpx.Response:
    try:
        with anyio.fail_after(ANSWER_SECONDS):
            response = await client.send(request, stream=True)
            if response.status_code == httpx.codes.OK:
                return response
            refusal = await _refusal(response)
    except TimeoutError:
        raise ChannelClosed(f"{client.base_url} did not answer within {ANSWER_SECONDS:g} s") from None
    except FAILURES as error:
        raise ChannelClosed(f"{client.base_url} cannot be reached: {_explain(error)}") from error
    if response.status_code == httpx.codes.GONE:
        raise Dismissed(f"{peer} says: {refusal}")
    raise ChannelClosed(f"{peer} refused the connection ({response.status_code}): {refusal}")


async def _refusal(response: httpx.Response) -> str:
    """The beginning of what the peer says, however much that is."""
    text = b""
    async for chunk in response.aiter_raw():
        text += chunk
        if len(text) >= MOST_REFUSAL:
            break
    await response.aclose()
    return text[:MOST_REFUSAL].decode(errors="replace")


async def _go_up(
    client: httpx.AsyncClient, request: httpx.Request, channel: StreamChannel, scope: anyio.CancelScope
) -> None:
    reason = f"{channel.peer.node} closed the connection"
    try:
        with scope:
            await client.send(request)
    except FAILURES as error:
        reason = _explain(error)
    channel.end(reason)
    channel.flushed.set()


class Body(httpx.AsyncByteStream):
    """What goes up, until the channel is closed. No generator: httpx would leave one behind at a broken connection.

    It is at its end once the peer has answered: before that, the end of the connection may overtake what was said last.
    """

    def __init__(self, channel: StreamChannel) -> None:
        self._channel = channel

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await self._channel.outgoing.take()
        except ChannelClosed:
            raise StopAsyncIteration from None


async def _come_down(response: httpx.Response, channel: StreamChannel, scope: anyio.CancelScope) -> None:
    reason = f"{channel.peer.node} closed the connection"
    try:
        # To its end, or to a cancellation inside of it: httpx leaves generators behind where it is left half way. A
        # closed channel, which it always is before it is cancelled, lets go of what is put.
        with scope:
            async for chunk in response.aiter_raw():
                with anyio.CancelScope(shield=True), suppress(ChannelClosed):
                    await channel.incoming.put(chunk)
    except FAILURES as error:
        reason = _explain(error)
    channel.end(reason)


async def _close(response: httpx.Response) -> None:
    try:
        await response.aclose()
    except FAILURES:
        pass


def _explain(error: Exception) -> str:
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
