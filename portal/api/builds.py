"""`/v1/builds`: an image from a tar stream, built on the manager's own engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

import anyio
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import TypedDict

from portal.api.auditing import specify
from portal.api.endpoint import LIST, Query, streaming_write
from portal.api.lines import Emit, End, Lines
from portal.api.problems import Problem
from portal.api.requests import backend_of
from portal.backend import Backend, EngineFailed

OPTIONS = ("dockerfile", "buildargs", "target", "labels", "networkmode", "nocache", "pull")


class BuildLine(TypedDict, total=False):
    """A `line` of a build's output; last `image_id` and the `node` that has it, or an `error` and its `code`."""

    line: str
    image_id: str
    node: str
    error: str
    code: str


async def build(request: Request) -> Response:
    """Build the image `tag`; the body is its context. Last come its id and where it is, or the error."""
    tag = request.query_params.get("tag", "")
    if not tag:
        raise Problem("invalid", "a build needs the parameter tag: the name that the image is to have")
    specify(request, subject=tag)
    options = {name: value for name, value in request.query_params.items() if name in OPTIONS and value}
    backend, body_read = backend_of(request), anyio.Event()
    context = _context(request, body_read)
    return Lines(partial(_build, backend, context, tag, options), body_read)


async def _context(request: Request, body_read: anyio.Event) -> AsyncIterator[bytes]:
    async for chunk in request.stream():
        if chunk:
            yield chunk
    body_read.set()


async def _build(backend: Backend, context: AsyncIterator[bytes], tag: str, options: dict[str, str], emit: Emit) -> End:
    async for line in backend.build(context, tag, options):
        await emit({"line": line})
    image = await backend.image_id(tag)
    if not image:
        raise EngineFailed(f"the build left no image under the name {tag}")
    await emit({"image_id": image, "node": backend.identity.node})
    return End("done", image)


ENDPOINTS = (
    streaming_write(
        "POST",
        "/v1/builds",
        build,
        BuildLine,
        Query("tag", "the name that the image is to have", longest=1024),
        *(Query(option, "as the engine's own", longest=LIST) for option in OPTIONS),
        body="application/x-tar",
    ),
)
