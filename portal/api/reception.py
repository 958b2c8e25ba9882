"""Receives each request: gives it its id, times it, and has the log tell of those that change something or fail."""

from __future__ import annotations

import logging
from time import perf_counter

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portal.api.access import CALLER
from portal.api.request_ids import HEADER, REQUEST, chosen
from portal.api.requests import DEED
from portal.meters import Meters

READS = frozenset({"GET", "HEAD", "OPTIONS"})
METHODS = READS | {"POST", "PUT", "PATCH", "DELETE", "WEBSOCKET"}

log = logging.getLogger(__name__)


class Reception:
    """ASGI middleware, the outermost.

    A request counts once its answer begins, for what is streamed after that takes as long as its reader likes. Labels
    and lines say the route's template, never the path: that has names in it, and may have more.
    """

    def __init__(self, app: ASGIApp, meters: Meters) -> None:
        self._app = app
        self._meters = meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, and the id with the answer."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        id, begun, answered = chosen(Headers(scope=scope).get(HEADER, "")), perf_counter(), False
        REQUEST.set(id)  # for good: each request is served in a task of its own

        async def answer(message: Message) -> None:
            nonlocal answered
            status = _status(message)
            if status and not answered:
                answered = True
                self._note(scope, status, perf_counter() - begun)
            if message["type"] in ("http.response.start", "websocket.http.response.start", "websocket.accept"):
                MutableHeaders(scope=message)[HEADER] = id
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except Exception:
            if not answered:
                self._note(scope, 500, perf_counter() - begun)
            raise

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        method, route = _method(scope), getattr(scope.get("route"), "path", "none")
        labels = {"method": method, "route": route, "status": f"{status // 100}xx"}
        self._meters.observe("request", seconds, labels)
        changes = DEED in scope or (method not in READS and "route" not in scope)
        if not changes and status < 500:
            return
        caller = scope[CALLER].name if CALLER in scope else ""
        by = f" by {caller}" if caller else ""
        facts = {"method": method, "route": route, "status": status, "seconds": round(seconds, 6), "caller": caller}
        level = logging.INFO if status < 500 else logging.WARNING
        log.log(level, "%s %s: %d in %.3f s%s", method, route, status, seconds, by, extra={"facts": facts})


def _method(scope: Scope) -> str:
    """A request's method. Over a WebSocket something is done, and what nobody knows is one kind, not many."""
    method = scope["method"] if scope["type"] == "http" else "WEBSOCKET"
    return method if method in METHODS else "other"


def _status(message: Message) -> int:
    """The status that an answer begins with; 0 for what begins none."""
    match message["type"]:
        case "http.response.start" | "websocket.http.response.start":
            return int(message["status"])
        case "websocket.accept":
            return 101
        case "websocket.close":
            return 403  # what a server makes of a door that is shut before it was opened
    return 0
