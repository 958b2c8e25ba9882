"""A stand-in for an engine's API: it answers over a real unix socket what a test tells it to.

It is for what a real engine cannot be asked for: other versions, full disks, connections that break in the middle.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
from aiohttp import web

from engine.docker import DockerEngine

VERSION = {"Version": "29.0.0", "ApiVersion": "1.52", "MinAPIVersion": "1.44", "Os": "linux", "Arch": "amd64"}
INFO = {
    "ID": "ID",
    "Name": "rome",
    "NCPU": 2,
    "MemTotal": 1 << 30,
    "LoggingDriver": "json-file",
    "DockerRootDir": "/",
    "SystemTime": "2026-01-02T03:04:05.678901234Z",
    "Labels": ["disk=ssd", "rack=7"],
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class StubEngine:
    """What to answer: `answers` by method and path (without the version), each JSON, or (status, JSON), or a handler.

    `asked` keeps each request that came in, as method, path with its version, and body.
    """

    version: Mapping[str, Any] = field(default_factory=lambda: VERSION)
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)

    @asynccontextmanager
    async def serving(self, folder: Path) -> AsyncIterator[DockerEngine]:
        """An engine that talks to this stub."""
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        path = str(folder / "engine.sock")
        await web.UnixSite(runner, path).start()
        engine = DockerEngine(f"unix://{path}")
        try:
            yield engine
        finally:
            await engine.close()
            await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else None
        self.asked.append((request.method, request.path, body))
        if request.path == "/version":
            return web.json_response(self.version)
        call = f"{request.method} {request.path.split('/', 2)[2]}"
        answer = self.answers.get(call, INFO if call == "GET info" else (404, {"message": f"page not found: {call}"}))
        if callable(answer):
            streamed: web.StreamResponse = await answer(request)
            return streamed
        status, content = answer if isinstance(answer, tuple) else (200, answer)
        return web.json_response(content, status=status)


def broken_after(*chunks: bytes) -> Handler:
    """A handler that begins an answer and lets the connection break in the middle of it."""

    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        assert request.transport is not None
        request.transport.abort()
        return response

    return handle


def ended_after(*chunks: bytes) -> Handler:
    """A handler that answers these bytes and ends as it should."""

    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        return response

    return handle


async def silent(request: web.Request) -> web.StreamResponse:
    """Takes the question and never answers, as an engine that hangs."""
    await anyio.sleep_forever()
    raise AssertionError("it never ends")


async def endless(request: web.Request) -> web.StreamResponse:
    """Begins an answer and says nothing."""
    response = web.StreamResponse()
    await response.prepare(request)
    await anyio.sleep_forever()
    return response
