"""A volume that is given up goes from the engine, and the state hears of it."""

from __future__ import annotations

import pytest

from actors import protocol
from actors.provisions import PROVISIONS
from cluster.containers import CLUSTER
from cluster.spec import Mount, VolumeSpec
from tests.actors.house import CLUSTER as OWN
from tests.actors.house import House, serving
from tests.cluster.build import spec, stack

pytestmark = pytest.mark.anyio


async def test_a_volume_that_no_stack_names_any_more_is_given_up_and_gone(house: House):
    with_data = stack(
        spec(image="web", mounts=(Mount("volume", "/data", "data"),)), volumes={"data": VolumeSpec("shop_data")}
    )
    async with house.life() as life:
        await life.order(protocol.DeployStack(with_data))
        await life.until(serving("shop/web"))
        refused = await life.ask(protocol.RemoveVolume("shop_data"))
        assert isinstance(refused, protocol.Refused)
        await life.order(protocol.RemoveStack("shop"))
        state = await life.until(lambda state: "shop" not in state.stacks)
        assert state.nodes["n1"].volumes == ("shop_data",)
        accepted = await life.order(protocol.RemoveVolume("shop_data", "key"))
        assert isinstance(await life.ask(protocol.DropVolume("shop_data"), path=PROVISIONS), protocol.DoneWell)
        await life.until(lambda state: state.nodes["n1"].volumes == ())
        assert await house.engine.volumes({}) == []
        assert isinstance(await life.ask(protocol.DropVolume("shop_data"), path=PROVISIONS), protocol.DoneWell)
        # Whoever lost the answer and asks again has the same one, though the volume is gone; anybody else is told so.
        assert await life.order(protocol.RemoveVolume("shop_data", "key")) == accepted
        assert isinstance(await life.ask(protocol.RemoveVolume("shop_data", "other")), protocol.Refused)
        given_up = "volume.given-up shop_data: given up with all data in it, on rome"
        assert given_up in await life.events()


async def test_what_a_container_uses_or_somebody_else_made_stays_and_says_why(house: House):
    async with house.life() as life:
        await life.state()
        await house.engine.create_volume("theirs", "local", {}, {})
        foreign = await life.ask(protocol.DropVolume("theirs"), path=PROVISIONS)
        assert isinstance(foreign, protocol.Failed)
        assert foreign.reason == "did not make it: `docker volume rm theirs` there removes it"
        with_data = stack(
            spec(image="web", mounts=(Mount("volume", "/data", "data"),)), volumes={"data": VolumeSpec("shop_data")}
        )
        await life.order(protocol.DeployStack(with_data))
        await life.until(serving("shop/web"))
        used = await life.ask(protocol.DropVolume("shop_data"), path=PROVISIONS)
        assert isinstance(used, protocol.Failed)
        assert "volume shop_data is still used by a container" in used.reason
        kept = {volume.name: volume.labels for volume in await house.engine.volumes({})}
        assert kept == {"theirs": {}, "shop_data": {CLUSTER: OWN}}
