"""Sees to it that a response does not end before its request has."""

from __future__ import annotations

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATIENCE_SECONDS = 10.0
PARTING_SECONDS = 0.5


class Drain:
    """ASGI middleware that throws away what a handler left unread of a body before it lets the response end.

    A client sends its whole body before it looks at the answer, and hypercorn breaks the connection (HTTP/2) or keeps
    its task for ever (HTTP/1.1) when a body goes on after the end of the response: a refused upload would then be
    a broken connection instead of a refusal. A client that takes too long is not waited for.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, with a pause before the end where there is something left to read."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        complete = False

        async def read() -> Message:
            nonlocal complete
            message = await receive()
            complete = complete or not message.get("more_body", False)
            return message

        async def write(message: Message) -> None:
            ends = message["type"] == "http.response.body" and not message.get("more_body", False)
            if ends and not complete:
                await send({**message, "more_body": True})
                with anyio.move_on_after(PATIENCE_SECONDS):
                    while not complete:
                        await read()
                message = {"type": "http.response.body", "body": b"", "more_body": False}
            await send(message)

        await self._app(scope, read, write)
        with anyio.move_on_after(PARTING_SECONDS):
            while not complete:
                await read()
