"""Each test of the actors runs on both event loops, in virtual time."""

from pathlib import Path
from typing import Any

import pytest

from engine.fake import FakeEngine, FakeImage
from tests.actors.house import House, house_at, time_of_day
from tests.sim.scheduling import virtual_backend


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return virtual_backend(request.param)


@pytest.fixture
def engine() -> FakeEngine:
    engine = FakeEngine(time_of_day)
    engine.images["web"] = FakeImage(pull_seconds=2.0)
    engine.images["db"] = FakeImage(local=True, healthcheck=True, healthy_after=5.0)
    return engine


@pytest.fixture
def house(tmp_path: Path, engine: FakeEngine) -> House:
    return house_at(tmp_path, engine)
