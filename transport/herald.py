"""How a manager that is to be found at another address tells a node so, which dials it at the old one in vain.

Only a manager that the node knows is listened to, and what it says is where to dial: whoever answers there has to prove
by its certificate that it is that manager, as ever.
"""

from __future__ import annotations

import json
import logging
import ssl
from collections.abc import Callable, Mapping
from dataclasses import asdict

import anyio
import httpx

from transport.channel import Authenticate, Refusal
from transport.dialer import FAILURES
from transport.listener import LARGEST, Receive, Send, answer, headers_of, lifespan
from transport.place import Place
from transport.seldom import Seldom

PATH = "/link/manager"
SECONDS = 5.0
"""How long an announcement may take."""

log = logging.getLogger(__name__)


class Unheard(Exception):
    """The node was not told. The text says why, as far as anybody knows."""


class Ear:
    """An ASGI application. `learn` is told of each place that a manager whom `authenticate` knows says it is at."""

    def __init__(self, authenticate: Authenticate, learn: Callable[[Place], None]) -> None:
        self._authenticate = authenticate
        self._learn = learn
        self._seldom = Seldom()

    def close(self) -> None:
        """Nothing is kept open."""

    async def __call__(self, scope: Mapping[str, object], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
        elif (scope["method"], scope["path"]) != ("POST", PATH):
            await answer(send, 404, "there is nothing here but a manager's word")
        else:
            await self._hear(scope, receive, send)

    async def _hear(self, scope: Mapping[str, object], receive: Receive, send: Send) -> None:
        place = await _place(receive)  # first, for who is answered while it still speaks breaks its connection off
        peer = self._authenticate(headers_of(scope))
        if isinstance(peer, Refusal):
            if self._seldom.due(peer.reason):
                log.warning("refused a word of where a manager is: %s", peer.reason)
            await answer(send, 403, peer.said)
            return
        if place is None:
            await answer(send, 400, "this names no place: is the manager of another release?")
            return
        self._learn(place)
        await answer(send, 200, "")


async def announce(url: str, tls: ssl.SSLContext, server_name: str, headers: Mapping[str, str], place: Place) -> None:
    """Tell the node at `url` (`https://192.0.2.2:4003`), whose certificate is for `server_name`, where this one is.

    Raises Unheard.
    """
    try:
        with anyio.fail_after(SECONDS):
            async with httpx.AsyncClient(http1=False, http2=True, verify=tls, trust_env=False) as client:
                content, extensions = json.dumps(asdict(place)).encode(), {"sni_hostname": server_name}
                request = client.build_request("POST", url + PATH, content=content, headers=headers)
                request.extensions.update(extensions)
                response = await client.send(request)
    except TimeoutError:
        raise Unheard(f"{url} did not answer within {SECONDS:g} s") from None
    except (*FAILURES, httpx.InvalidURL, ValueError, ExceptionGroup) as error:  # an address may be any text
        raise Unheard(f"{url} cannot be reached: {type(error).__name__} {error}") from error
    if response.status_code != httpx.codes.OK:
        raise Unheard(f"{url} answered {response.status_code}: {response.text[:LARGEST]}")


async def _place(receive: Receive) -> Place | None:
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message["body"]
        if len(body) > LARGEST:
            return None
        if not message["more_body"]:
            break
    try:
        said = json.loads(body)
        return Place(str(said["host"]), int(said["api_port"]), int(said["link_port"]))
    except (ValueError, KeyError, TypeError):
        return None
