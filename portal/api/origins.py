"""Lets the page that documents this API ask it from a browser (CORS), and no other page."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portal.api.request_ids import HEADER

ALLOWED = {
    "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE",
    "access-control-allow-headers": "Authorization, Content-Type, Idempotency-Key, If-Match, Last-Event-ID",
    "access-control-max-age": "600",
    "vary": "Origin",
}
EXPOSED = f"ETag, Retry-After, {HEADER}"


class Origins:
    """ASGI middleware: a page of the very host that the API is asked at may ask, if it came from `port` there.

    No cookie is ever sent along or looked at: the page has to have a token, as everybody has.
    """

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._port = port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the question that a browser asks first, and say with each answer whose it may be."""
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        origin = headers.get("origin", "")
        if not origin or origin != self._own(headers.get("host", "")):
            await self._app(scope, receive, send)
            return
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            allowed = {**ALLOWED, "access-control-allow-origin": origin}
            await Response(status_code=204, headers=allowed)(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = MutableHeaders(scope=message)
                told["access-control-allow-origin"] = origin
                told["access-control-expose-headers"] = EXPOSED
                told.add_vary_header("Origin")
            await send(message)

        await self._app(scope, receive, answer)

    def _own(self, host: str) -> str:
        """The page's origin, for whoever reaches this API as `host`."""
        name, colon, port = host.rpartition(":")
        return f"http://{name if colon and port.isdecimal() else host}:{self._port}"
