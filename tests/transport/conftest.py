"""Each test of the transport that waits runs on both backends, in virtual time."""

from pathlib import Path
from typing import Any

import pytest

from tests.sim.scheduling import virtual_backend
from transport.identity import ClusterCA


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return virtual_backend(request.param)


NOW = 1_700_000_000.0


class Clock:
    """A time of day that a test sets."""

    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ca(tmp_path: Path, clock: Clock) -> ClusterCA:
    return ClusterCA(tmp_path / "pki", "legion", clock)
