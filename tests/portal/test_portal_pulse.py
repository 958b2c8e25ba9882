"""How late the event loop is, in virtual time."""

from typing import Any

import anyio
import pytest

from portal.meters import Meters
from portal.pulse import EVERY, Pulse
from supervisor.spec import ChildSpec, SupervisorSpec
from supervisor.system import System
from tests.actors.house import time_of_day
from tests.sim.scheduling import virtual_backend

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return virtual_backend(request.param)


class Noted(Meters):
    """Meters that show what they were told."""

    def __init__(self) -> None:
        super().__init__("0.1.0")
        self.told: list[tuple[str, object]] = []

    def observe(self, name: str, seconds: float, labels: object = None) -> None:
        self.told.append((name, seconds))


async def test_a_loop_that_is_in_time_is_noted_once_a_second():
    meters = Noted()
    async with anyio.create_task_group() as group:
        system = System("rome-1", clock=time_of_day)
        root = SupervisorSpec(children=(ChildSpec("pulse", lambda: Pulse(meters)),))
        await group.start(system.run, root)
        await anyio.sleep(3.5 * EVERY)
        assert meters.told == [("lag", pytest.approx(0.0, abs=1e-6))] * 3
        system.stop()


async def test_a_loop_that_was_held_up_is_noted_by_how_long(monkeypatch: pytest.MonkeyPatch):
    meters, slept_until = Noted(), anyio.sleep_until

    async def held_up(deadline: float) -> None:
        await slept_until(deadline + 0.25)

    monkeypatch.setattr(anyio, "sleep_until", held_up)
    async with anyio.create_task_group() as group:
        group.start_soon(Pulse(meters)._beat)
        await anyio.sleep(2 * EVERY + 1.0)
        assert meters.told == [("lag", pytest.approx(0.25))] * 2
        group.cancel_scope.cancel()
