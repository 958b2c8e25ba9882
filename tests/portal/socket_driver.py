"""A client of one WebSocket, in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import orjson
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from starlette.types import ASGIApp, Message

from portal.api.exec import PROTOCOL
from portal.api.parting import CLOSING
from tests.portal.build import bearer


@dataclass
class Talk:
    """The socket as its client sees it. `status` and `problem` are of a refusal; `closing` stops the server."""

    to_server: MemoryObjectSendStream[Message]
    from_server: MemoryObjectReceiveStream[Message]
    closing: anyio.Event = field(default_factory=anyio.Event)
    ended: anyio.Event = field(default_factory=anyio.Event)
    status: int = 0
    problem: bytes = b""

    async def say(self, value: bytes | dict[str, Any] | str) -> None:
        """Send a binary message, or a JSON one."""
        if isinstance(value, bytes):
            await self.to_server.send({"type": "websocket.receive", "bytes": value})
        else:
            text = value if isinstance(value, str) else orjson.dumps(value).decode()
            await self.to_server.send({"type": "websocket.receive", "text": text})

    async def hear(self) -> bytes | dict[str, Any] | None:
        """The next message; None where the server has closed it."""
        message = await self.from_server.receive()
        if message["type"] == "websocket.close":
            return None
        assert message["type"] == "websocket.send"
        data: bytes | None = message.get("bytes")
        return orjson.loads(message["text"]) if data is None else data

    async def rest(self) -> list[bytes | dict[str, Any] | None]:
        """All further messages."""
        heard = [await self.hear()]
        while heard[-1] is not None:
            heard.append(await self.hear())
        return heard[:-1]

    async def leave(self) -> None:
        """Go away, as a client does that is killed."""
        await self.to_server.send({"type": "websocket.disconnect", "code": 1006})


@asynccontextmanager
async def talk(
    app: ASGIApp, path: str, headers: dict[str, str] | None = None, protocol: str = PROTOCOL
) -> AsyncIterator[Talk]:
    """Open a WebSocket, as an admin unless other headers are given, and go away in the end."""
    to_server, into_server = anyio.create_memory_object_stream[Message](1_000)
    to_client, from_server = anyio.create_memory_object_stream[Message](1_000)
    one = Talk(to_server, from_server)
    given = bearer("admin") if headers is None else headers
    scope = {
        "type": "websocket",
        "asgi": {"spec_version": "2.3", "version": "3.0"},
        "http_version": "1.1",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "client": ("192.0.2.7", 1),
        "scheme": "wss",
        "server": ("gbnt", 4000),
        "root_path": "",
        "subprotocols": [protocol],
        "extensions": {"websocket.http.response": {}},
        CLOSING: one.closing,
    }

    async def send(message: Message) -> None:
        if message["type"] == "websocket.http.response.start":
            one.status = message["status"]
        elif message["type"] == "websocket.http.response.body":
            one.problem += message["body"]
        elif message["type"] == "websocket.accept":
            assert message["subprotocol"] == PROTOCOL
        else:
            await to_client.send(message)

    async def run() -> None:
        await app(scope, into_server.receive, send)
        one.ended.set()

    async with anyio.create_task_group() as group, to_server, into_server, to_client, from_server:
        await to_server.send({"type": "websocket.connect"})
        group.start_soon(run)
        yield one
        await one.leave()
        await one.ended.wait()
