"""An engine that goes away, and comes back."""

import pytest

from actors import protocol
from tests.actors.house import House, of, serving
from tests.cluster.build import spec, stack

pytestmark = pytest.mark.anyio


async def test_an_engine_that_went_away_is_waited_for_and_found_again(house: House):
    async with house.life() as life:
        await life.order(protocol.DeployStack(stack(spec(image="web", replicas=2))))
        await life.until(serving("shop/web", 2))
        house.engine.crash()
        state = await life.until(lambda state: [node.status for node in state.nodes.values()] == ["unavailable"])
        assert "does not answer" in state.nodes["n1"].message or "event stream" in state.nodes["n1"].message
        house.engine.restart()
        state = await life.until(lambda state: all(task.attempt == 2 and task.serving for task in of(state)))
        assert state.nodes["n1"].status == "ready"
        assert all(task.crashes == 0 for task in of(state))  # the engine fell, not they
    assert not house.engine.violations


async def test_gbnt_starts_before_its_engine(house: House):
    house.engine.crash()
    async with house.life() as life:
        await life.order(protocol.DeployStack(stack(spec(image="web"))))
        await life.until(lambda state: any("waits for a machine" in task.message for task in of(state)))
        house.engine.restart()
        await life.until(serving("shop/web"))


async def test_what_an_event_stream_missed_is_seen_when_it_is_back(house: House):
    async with house.life() as life:
        await life.order(protocol.DeployStack(stack(spec(image="web"))))
        (task,) = of(await life.until(serving("shop/web")))
        house.engine.break_streams()
        house.engine.exit(task.container_id, 1)
        await life.until(lambda state: of(state)[0].attempt == 2 and of(state)[0].serving)
    assert house.engine.calls["start"] == 2
