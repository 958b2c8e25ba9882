"""A stream of events as browsers read it by themselves: server-sent events (WHATWG HTML, section 9.2)."""

from __future__ import annotations

import anyio
import orjson
from starlette.types import Receive, Scope, Send

from portal.api.lines import Lines

BEAT_SECONDS = 15.0
BEAT = b": \n\n"
"""A comment, so that whoever is between the two does not take a silent stream for a dead one."""


class Feed(Lines):
    """Emits events, each with its place as its id and its kind as its name; a client tells the last id it saw.

    What ends it is an event `error`, after which the client may come again. While nothing happens it sends comments.
    """

    media_type = "text/event-stream"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events, and beats between them."""
        async with anyio.create_task_group() as group:
            group.start_soon(_beat, send)
            await super().__call__(scope, receive, send)
            group.cancel_scope.cancel()

    def encode(self, value: object) -> bytes:
        """An event, or what went wrong, as a block."""
        data = orjson.dumps(value)
        match value:
            case {"revision": revision, "number": number, "kind": str(kind)}:
                place = f"{revision}.{number}"
                return b"id: %s\nevent: %s\ndata: %s\n\n" % (place.encode(), kind.encode(), data)
        return b"event: error\ndata: %s\n\n" % data


async def _beat(send: Send) -> None:
    while True:
        await anyio.sleep(BEAT_SECONDS)
        await send({"type": "http.response.body", "body": BEAT, "more_body": True})
