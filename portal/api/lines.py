"""A response that is a stream of JSON lines (NDJSON), each sent as soon as it is there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

import anyio
import orjson
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from portal.api.problems import as_problem
from portal.backend import TooSlow

CLOSING = "gbnt.closing"
"""The key of an ASGI scope under which a server puts the event that it sets when it is to stop."""


class Emit(Protocol):
    """Sends lines to the client."""

    async def __call__(self, *values: object) -> None:
        """Send a line for each value, all at once, and wait until there is room for more."""


Produce = Callable[[Emit], Awaitable[None]]


class Lines(Response):
    """Runs `produce`, which is given a function that sends lines and waits until the client has room for them.

    The producer is cancelled when the client goes away or the server stops. Where it reads the request's body itself
    the client is listened to only once `body_read` is set, for two readers would take each other's parts. What it
    raises becomes the last line, `error` and `code`: the status was sent before anything could go wrong. It is a
    function that is given `emit`, and no generator, for a generator that is dropped half way closes its cancel scopes
    in the wrong task.
    """

    media_type = "application/x-ndjson"

    def __init__(self, produce: Produce, body_read: anyio.Event | None = None) -> None:
        super().__init__()
        del self.headers["content-length"]
        self._produce = produce
        self._body_read = body_read

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the lines until the producer has no more, nobody reads them, or the door closes."""
        # No proxy on the way may hold lines back.
        headers = [*self.raw_headers, (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})

        async def emit(*values: object) -> None:
            lines = b"".join([orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE) for value in values])
            await send({"type": "http.response.body", "body": lines, "more_body": True})

        ended, closing = False, scope.get(CLOSING) or anyio.Event()
        async with anyio.create_task_group() as race:
            race.start_soon(self._when_gone, receive, race.cancel_scope)
            race.start_soon(_when_set, closing, race.cancel_scope)
            await self._run(emit)
            ended = True
            race.cancel_scope.cancel()
        if closing.is_set() and not ended:
            await emit({"error": "the manager stops; ask again when it is back", "code": "unavailable"})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _run(self, emit: Emit) -> None:
        try:
            await self._produce(emit)
        except ClientDisconnect:
            return
        except TooSlow:
            await emit({"error": "you read more slowly than things happen; ask again from here", "code": "unavailable"})
        except Exception as error:  # noqa: BLE001 - the edge: the status is sent, the last line must say so
            problem = as_problem(_only(error))
            await emit({"error": problem.detail, "code": problem.code})

    async def _when_gone(self, receive: Receive, scope: anyio.CancelScope) -> None:
        if self._body_read is not None:
            await self._body_read.wait()
        while (await receive())["type"] != "http.disconnect":
            pass
        scope.cancel()


async def _when_set(event: anyio.Event, scope: anyio.CancelScope) -> None:
    await event.wait()
    scope.cancel()


def _only(error: Exception) -> Exception:
    """The one exception inside task groups' wrappings."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error
