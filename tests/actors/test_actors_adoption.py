"""What a life of gbnt finds when it begins."""

import pytest

from actors import protocol
from tests.actors.house import House, Life, serving
from tests.cluster.build import spec, stack

pytestmark = pytest.mark.anyio


def all_are(life: Life, state: str, number: int) -> bool:
    """Whether so many tasks' actors are there, and each says that its container is in this state."""
    actors = [info for info in life.system.inspect("agent/tasks") if info.kind == "TaskActor"]
    return [info.detail.get("state") for info in actors] == [state] * number


async def test_a_restart_of_gbnt_restarts_no_container(house: House):
    async with house.life() as life:
        await life.order(protocol.DeployStack(stack(spec(image="web", replicas=3))))
        await life.until(serving("shop/web", 3))
    starts, creates = house.engine.calls["start"], house.engine.calls["create"]
    async with house.life() as life:
        state = await life.until(serving("shop/web", 3))
        await life.eventually(lambda: all_are(life, "running", 3))
    assert (house.engine.calls["start"], house.engine.calls["create"]) == (starts, creates) == (3, 3)
    assert all(task.attempt == 1 for task in state.tasks.values())
