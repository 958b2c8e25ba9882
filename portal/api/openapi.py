"""`/v1/openapi.json`: this API's own description."""

from __future__ import annotations

from collections.abc import Mapping

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from portal.api.endpoint import read
from portal.api.requests import answer, backend_of


async def show(request: Request) -> Response:
    """What this API takes and answers, as an OpenAPI 3.1 document."""
    from portal.openapi import document  # made of all endpoints, of this one too, and by what a start does not wait for

    # It takes as long as hundreds of other answers, once.
    return answer(await anyio.to_thread.run_sync(document, backend_of(request).identity.version))


ENDPOINTS = (read("/v1/openapi.json", show, Mapping[str, object]),)
