"""What is put away beside a task's work."""

from collections.abc import Mapping, Sequence

import anyio
import pytest

from actors import protocol
from actors.housekeeping import look_at, remove_all
from cluster.container import ContainerSpec
from cluster.containers import ATTEMPT
from cluster.spec import Mount, VolumeSpec
from engine.fake import FakeEngine, FakeImage
from engine.port import EngineUnavailable, Refused, VolumeInfo
from tests.actors.house import House, of, serving, time_of_day
from tests.cluster.build import spec, stack

pytestmark = pytest.mark.anyio


class SlowEngine(FakeEngine):
    """An engine that takes its time to make a container, and a long one to remove the one named `slow`.

    It takes `listing` seconds to list its volumes the next time.
    """

    slow = ""
    listing = 0.0

    async def create(self, spec: ContainerSpec) -> str:
        await anyio.sleep(1.0)
        return await super().create(spec)

    async def volumes(self, labels: Mapping[str, str]) -> Sequence[VolumeInfo]:
        listing, self.listing = self.listing, 0.0
        await anyio.sleep(listing)
        return await super().volumes(labels)

    async def remove(self, container: str) -> None:
        await anyio.sleep(10.0 if container == self.slow else 0.0)
        await super().remove(container)


@pytest.fixture
def engine() -> SlowEngine:
    engine = SlowEngine(time_of_day)
    engine.images["web"] = FakeImage(local=True)
    return engine


async def made(engine: FakeEngine, *names: str) -> list[str]:
    return [await engine.create(ContainerSpec(name, "web", {})) for name in names]


async def test_what_is_put_away_for_one_reason_does_not_keep_what_goes_for_another(house: House, engine: SlowEngine):
    async with house.life() as life:
        await life.order(protocol.DeployStack(stack(spec(image="web"))))
        (task,) = of(await life.until(serving("shop/web")))
        first = await engine.container(task.container_id)
        assert first is not None
        # Somebody made one with the task's labels: it goes, but slowly.
        engine.slow = await engine.create(ContainerSpec("half-made", "web", {**first.labels, ATTEMPT: "7"}))
        engine.break_streams()
        await anyio.sleep(2.0)
        # Meanwhile a successor is made for what somebody starts again, and goes too.
        await engine.kill(first.id)
        await anyio.sleep(0.5)
        await engine.start(first.id)
        await anyio.sleep(12.0)
        assert [info.id for info in await engine.containers({})] == [first.id]


async def test_one_that_the_engine_keeps_keeps_no_other(engine: SlowEngine):
    kept, gone = await made(engine, "kept", "gone")
    engine.refuse("remove", Refused("it is stuck"))
    await remove_all(engine, [kept, gone])
    assert [info.id for info in await engine.containers({})] == [kept]


async def test_an_engine_that_is_away_is_not_asked_on(engine: SlowEngine):
    containers = await made(engine, "one", "other")
    engine.refuse("remove", EngineUnavailable("the engine does not answer"))
    await remove_all(engine, containers)
    assert engine.calls["remove"] == 1
    engine.crash()
    assert await look_at(engine, "t1") is None


async def test_orders_that_name_the_same_networks_ask_the_engine_nothing(house: House):
    async with house.life() as life:
        await life.order(protocol.DeployStack(stack(spec("web", image="web", replicas=2))))
        await life.until(serving("shop/web", 2))
        await life.order(protocol.UpdateService("shop/web", force=True))
        await life.until(lambda state: sum(task.serving for task in of(state) if task.generation == 1) == 2)
        listed = house.engine.calls["networks"], house.engine.calls["volumes"]
        await life.order(protocol.UpdateService("shop/web", force=True))
        await life.until(lambda state: sum(task.serving for task in of(state) if task.generation == 2) == 2)
        assert (house.engine.calls["networks"], house.engine.calls["volumes"]) == listed
        await life.order(protocol.RemoveStack("shop"))
        await life.until(lambda state: not state.networks)
        await life.eventually(lambda: not house.engine._world.networks)


async def test_a_network_that_was_removed_while_the_engine_was_looked_at_is_gone(house: House, engine: SlowEngine):
    async with house.life() as life:
        await life.order(protocol.DeployStack(stack(spec("web", image="web"))))
        await life.until(serving("shop/web"))
        engine.listing = 20.0
        engine.break_streams()
        await life.eventually(lambda: not engine.listing)
        await life.order(protocol.RemoveStack("shop"))
        await life.until(lambda state: not state.tasks and not state.stacks, within=100.0)


async def test_a_volume_that_somebody_else_made_counts_as_data_once_a_stack_names_it(house: House, engine: SlowEngine):
    for name in ("shop_data", "theirs"):
        await engine.create_volume(name, "local", {}, {})
    file = stack(
        spec("web", image="web", mounts=(Mount("volume", "/data", "data"),)), volumes={"data": VolumeSpec("shop_data")}
    )
    async with house.life() as life:
        await life.until(lambda state: "n1" in state.nodes and state.nodes["n1"].status == "ready")
        await life.order(protocol.DeployStack(file))
        await life.until(lambda state: state.nodes["n1"].volumes == ("shop_data",))
        await life.until(serving("shop/web"))
    async with house.life() as life:
        await life.until(lambda state: state.nodes["n1"].status == "ready")
        assert (await life.until(serving("shop/web"))).nodes["n1"].volumes == ("shop_data",)
        await life.order(protocol.RemoveStack("shop", ("shop_data",)))
        await life.until(lambda state: "shop" not in state.stacks)
        assert [info.name for info in await engine.volumes({})] == ["theirs"]
