"""A response that is a stream of JSON lines (NDJSON), each sent as soon as it is there."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
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


@dataclass(frozen=True, slots=True)
class End:
    """How something ended: `done`, a refusal's code, `failed` in part or `abandoned`, and what is to be said of it."""

    outcome: str
    message: str = ""


LEFT = End("abandoned", "the client left before it ended")


class Emit(Protocol):
    """Sends lines to the client."""

    async def __call__(self, *values: object) -> None:
        """Send a line for each value, all at once, and wait until there is room for more."""


Produce = Callable[[Emit], Awaitable[End | None]]
"""What it returns is how it ended, `done` where that is nothing."""


class Lines(Response):
    """Runs `produce`, which is given a function that sends lines and waits until the client has room for them.

    The producer is cancelled when the client goes away, or where the stream has to end (see `parting`). Where it reads
    the request's body itself the client is listened to only once `body_read` is set, for two readers would take each
    other's parts. What it raises becomes the last line, `error` and `code`: the status was sent before anything could
    go wrong. It is a function that is given `emit`, and no generator, for a generator that is dropped half way closes
    its cancel scopes in the wrong task.

    `ended` is told of the end, whoever made it, and `so_far` what was done by then, in words.
    """

    media_type = "application/x-ndjson"

    def __init__(
        self, produce: Produce, body_read: anyio.Event | None = None, so_far: Callable[[], str] = lambda: ""
    ) -> None:
        super().__init__()
        del self.headers["content-length"]
        self.produce = produce
        self.ended: Callable[[End], Awaitable[None]] | None = None
        self._body_read = body_read
        self._so_far = so_far

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the lines until the producer has no more, nobody reads them, or they have to end."""
        # No proxy on the way may hold lines back.
        headers = [*self.raw_headers, (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})

        async def emit(*values: object) -> None:
            lines = b"".join([self.encode(value) for value in values])
            await send({"type": "http.response.body", "body": lines, "more_body": True})

        end = LEFT
        try:
            end = await run(self.produce, emit, partial(self._gone, receive), scope)
        finally:
            await self._tell(end)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _tell(self, end: End) -> None:
        if self.ended is not None:
            await self.ended(replace(end, message="; ".join(filter(None, (self._so_far(), end.message)))))

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


async def run(produce: Produce, emit: Emit, gone: Callable[[], Awaitable[None]], scope: Scope) -> End:
    """Produce until there is no more, nobody reads (when `gone` returns), or it has to end; return how it did."""
    why: Problem | None = None
    end = LEFT

    async def part() -> None:
        nonlocal why
        why = await parting(scope)

    async with anyio.create_task_group() as race:
        race.start_soon(_when, gone, race.cancel_scope)
        race.start_soon(_when, part, race.cancel_scope)
        end = await _told(produce, emit)
        why = None
        race.cancel_scope.cancel()
    if why is not None:
        end = End(why.code, why.detail)
        await emit({"error": f"{why.detail}; {AGAIN[why.code]}", "code": why.code})
    return end


async def _told(produce: Produce, emit: Emit) -> End:
    try:
        return await produce(emit) or End("done")
    except (ClientDisconnect, WebSocketDisconnect):
        return LEFT
    except TooSlow:
        problem = Problem("unavailable", "you read more slowly than things happen; ask again from here")
    except Exception as error:  # noqa: BLE001 - the edge: the status is sent, the last line must say so
        problem = as_problem(_only(error))
    await emit({"error": problem.detail, "code": problem.code})
    return End(problem.code, problem.detail)


async def _when(happened: Callable[[], Awaitable[object]], scope: anyio.CancelScope) -> None:
    await happened()
    scope.cancel()


def _only(error: Exception) -> Exception:
    """The one exception inside task groups' wrappings."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error
