"""A client of one streamed response, which httpx's in-memory transport would collect to its end first."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import orjson
from anyio.streams.memory import MemoryObjectReceiveStream
from starlette.types import ASGIApp, Message

from tests.portal.build import bearer


@dataclass
class Stream:
    """A response as it arrives. `ended` is set when the application has returned."""

    chunks: MemoryObjectReceiveStream[bytes]
    gone: anyio.Event = field(default_factory=anyio.Event)
    ended: anyio.Event = field(default_factory=anyio.Event)
    status: int = 0
    content_type: str = ""
    waiting: deque[bytes] = field(default_factory=deque)

    async def line(self) -> dict[str, Any]:
        """The next line."""
        while not self.waiting:
            self.waiting.extend((await self.chunks.receive()).splitlines())
        value = orjson.loads(self.waiting.popleft())
        assert isinstance(value, dict)
        return value

    async def rest(self) -> list[dict[str, Any]]:
        """All further lines, once the response has come to its end."""
        async for chunk in self.chunks:
            self.waiting.extend(chunk.splitlines())
        return [orjson.loads(line) for line in self.waiting]

    async def text_until(self, end: str) -> str:
        """The text up to and with `end`, whatever it is."""
        text = ""
        while end not in text:
            text += (await self.chunks.receive()).decode()
        return text[: text.index(end) + len(end)]

    def leave(self) -> None:
        """Go away, as a client does that is interrupted."""
        self.gone.set()


@asynccontextmanager
async def get(
    app: ASGIApp,
    target: str,
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
    body: bytes = b"",
    *,
    whole: bool = True,
) -> AsyncIterator[Stream]:
    """GET a path with parameters as an admin, or another method. The client goes away when the context is left.

    A body that is not `whole` goes on, but nothing more of it comes.
    """
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "asgi": {"spec_version": "2.1", "version": "3.0"},
        "http_version": "2",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in {**bearer("admin"), **(headers or {})}.items()],
        "client": ("192.0.2.7", 1),
        "scheme": "https",
        "server": ("gbnt", 4000),
        "root_path": "",
    }
    send_chunk, chunks = anyio.create_memory_object_stream[bytes](1_000)
    stream = Stream(chunks)
    asked = False

    async def receive() -> Message:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": body, "more_body": not whole}
        await stream.gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            stream.status = message["status"]
            stream.content_type = dict(message["headers"]).get(b"content-type", b"").decode()
        elif message["body"]:
            await send_chunk.send(message["body"])

    async def run() -> None:
        async with send_chunk:
            await app(scope, receive, send)
        stream.ended.set()

    async with anyio.create_task_group() as group, chunks:
        group.start_soon(run)
        yield stream
        stream.leave()
        await stream.ended.wait()
