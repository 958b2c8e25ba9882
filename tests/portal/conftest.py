from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from portal.api.app import create_api
from tests.portal.build import FakeNode, bearer


@pytest.fixture
def anyio_backend() -> str:
    """The doors are served by hypercorn on asyncio."""
    return "asyncio"


@pytest.fixture
def node() -> Iterator[FakeNode]:
    made = FakeNode()
    yield made
    made.close()


@pytest.fixture
async def api(node: FakeNode) -> AsyncIterator[httpx.AsyncClient]:
    """An admin's client before the API of `node`."""
    transport = httpx.ASGITransport(create_api(node.backend()), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="https://gbnt", headers=bearer("admin")) as client:
        yield client
