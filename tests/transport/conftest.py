"""Each test of the transport that waits runs on both backends, in virtual time."""

from typing import Any

import pytest

from tests.sim.scheduling import virtual_backend


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return virtual_backend(request.param)
