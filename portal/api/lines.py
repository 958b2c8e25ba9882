"""A response that is a stream of JSON lines (NDJSON), each sent as soon as it is there."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

import anyio
import orjson
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from portal.api.parting import parting
from portal.api.problems import Problem, as_problem
from portal.backend import TooSlow

AGAIN = {"unavailable": "ask again when it is back", "unauthorized": "sign in, or show another one, and ask again"}


class Emit(Protocol):
    """Sends lines to the client."""

    async def __call__(self, *values: object) -> None:
        """Send a line for each value, all at once, and wait until there is room for more."""


Produce = Callable[[Emit], Awaitable[None]]


class Lines(Response):
    """Runs `produce`, which is given a function that sends lines and waits until the client has room for them.

    The producer is cancelled when the client goes away, or where the stream has to end (see `parting`). Where it reads
    the request's body itself the client is listened to only once `body_read` is set, for two readers would take each
    other's parts. What it raises becomes the last line, `error` and `code`: the status was sent before anything could
    go wrong. It is a function that is given `emit`, and no generator, for a generator that is dropped half way closes
    its cancel scopes in the wrong task.
    """

    media_type = "application/x-ndjson"

    def __init__(self, produce: Produce, body_read: anyio.Event | None = None) -> None:
        super().__init__()
        del self.headers["content-length"]
        self.produce = produce
        self._body_read = body_read

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the lines until the producer has no more, nobody reads them, or they have to end."""
        # No proxy on the way may hold lines back.
        headers = [*self.raw_headers, (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})

        async def emit(*values: object) -> None:
            lines = b"".join([self.encode(value) for value in values])
            await send({"type": "http.response.body", "body": lines, "more_body": True})

        await run(self.produce, emit, partial(self._gone, receive), scope)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def encode(self, value: object) -> bytes:
        """A value as a line."""
        return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)

    async def _gone(self, receive: Receive) -> None:
        if self._body_read is not None:
            await self._body_read.wait()
        while (await receive())["type"] != "http.disconnect":
            pass


async def serve_socket(lines: Lines, websocket: WebSocket) -> None:
    """The same over a WebSocket, a text message a line. What the client sends is not read."""
    await websocket.accept()

    async def emit(*values: object) -> None:
        for value in values:
            await websocket.send_text(orjson.dumps(value).decode())

    async def gone() -> None:
        while (await websocket.receive())["type"] != "websocket.disconnect":
            pass

    with contextlib.suppress(WebSocketDisconnect):
        await run(lines.produce, emit, gone, websocket.scope)
        await websocket.close()


async def run(produce: Produce, emit: Emit, gone: Callable[[], Awaitable[None]], scope: Scope) -> None:
    """Produce until there is no more, nobody reads (when `gone` returns), or it has to end."""
    why: Problem | None = None

    async def part() -> None:
        nonlocal why
        why = await parting(scope)

    async with anyio.create_task_group() as race:
        race.start_soon(_when, gone, race.cancel_scope)
        race.start_soon(_when, part, race.cancel_scope)
        await _told(produce, emit)
        why = None
        race.cancel_scope.cancel()
    if why is not None:
        await emit({"error": f"{why.detail}; {AGAIN[why.code]}", "code": why.code})


async def _told(produce: Produce, emit: Emit) -> None:
    try:
        await produce(emit)
    except (ClientDisconnect, WebSocketDisconnect):
        return
    except TooSlow:
        await emit({"error": "you read more slowly than things happen; ask again from here", "code": "unavailable"})
    except Exception as error:  # noqa: BLE001 - the edge: the status is sent, the last line must say so
        problem = as_problem(_only(error))
        await emit({"error": problem.detail, "code": problem.code})


async def _when(happened: Callable[[], Awaitable[object]], scope: anyio.CancelScope) -> None:
    await happened()
    scope.cancel()


def _only(error: Exception) -> Exception:
    """The one exception inside task groups' wrappings."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error
