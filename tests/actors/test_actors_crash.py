"""An actor that crashes is its own affair: its restart is counted, its siblings and all containers are untouched."""

import pytest

from actors import protocol
from cluster.container import ContainerSpec
from engine.fake import FakeEngine, FakeImage
from tests.actors.house import House, Life, of, serving, time_of_day
from tests.cluster.build import spec, stack

pytestmark = pytest.mark.anyio


class FaultyEngine(FakeEngine):
    """An engine whose client has a fault of its own in the calls for containers that are named so."""

    faulty = ""
    times = 0

    async def create(self, spec: ContainerSpec) -> str:
        if self.times and spec.name.startswith(self.faulty):
            self.times -= 1
            raise RuntimeError("a fault in the client")
        return await super().create(spec)


@pytest.fixture
def engine() -> FaultyEngine:
    return FaultyEngine(time_of_day)


def lives(life: Life) -> dict[str, int]:
    """Which incarnation lives at each path."""
    return {info.address.path: info.incarnation for info in life.system.inspect()}


async def test_a_fault_that_comes_through_the_engine_restarts_one_task_alone(house: House, engine: FaultyEngine):
    engine.images["web"] = FakeImage(local=True)
    async with house.life() as life:
        await life.order(protocol.DeployStack(stack(spec(image="web", replicas=3))))
        tasks = of(await life.until(serving("shop/web", 3)))
        before = lives(life)
        engine.faulty, engine.times = "shop-web-2", 1
        engine.exit(tasks[1].container_id, 1)
        await life.until(lambda state: of(state)[1].attempt == 2 and of(state)[1].serving)
        crashed = f"agent/tasks/{tasks[1].id}"
        assert {path for path, number in lives(life).items() if before[path] != number} == {crashed}
        assert life.actor(crashed).restarts == 1
        assert "a fault in the client" in (life.actor(crashed).last_failure or "")
        assert [task.attempt for task in of(await life.state())] == [1, 2, 1]


async def test_a_task_that_keeps_crashing_takes_nobody_with_it(house: House, engine: FaultyEngine):
    engine.images["web"] = FakeImage(local=True)
    engine.faulty, engine.times = "shop-web-1", 10
    async with house.life() as life:
        await life.order(protocol.DeployStack(stack(spec(image="web", replicas=2))))
        tasks = of(await life.until(serving("shop/web", 2)))
        assert life.actor(f"agent/tasks/{tasks[0].id}").restarts == 10
        assert life.actor(f"agent/tasks/{tasks[1].id}").restarts == 0
        assert life.actor("agent/tasks").restarts == 0


@pytest.mark.parametrize(
    "path",
    ["agent/executor", "agent/provisions", "control/dispatcher", "control/services/shop/web", "control/nodes/n1"],
)
async def test_whoever_crashes_no_container_is_restarted_and_orders_arrive(
    house: House, engine: FaultyEngine, path: str
):
    engine.images["web"] = FakeImage(local=True)
    async with house.life() as life:
        await life.order(protocol.DeployStack(stack(spec(image="web"))))
        await life.until(serving("shop/web"))
        cell = life.system.cell(path)
        assert cell is not None
        cell.kill()
        await life.eventually(lambda: life.system.cell(path) not in (None, cell))
        await life.order(protocol.ScaleService("shop/web", 2))
        state = await life.until(serving("shop/web", 2))
        assert [task.attempt for task in of(state)] == [1, 1]
    assert engine.calls["start"] == 2
