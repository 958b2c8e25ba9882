"""An engine that goes away, and comes back."""

from dataclasses import replace
from functools import partial

import anyio
import pytest

from actors import protocol
from cluster.capacity import Gpus
from cluster.model import State
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


async def test_an_engine_that_hangs_is_noticed_and_what_happened_meanwhile_is_seen(house: House):
    async with house.life() as life:
        await life.order(protocol.DeployStack(stack(spec(image="web"))))
        (task,) = of(await life.until(serving("shop/web")))
        house.engine.hang()
        state = await life.until(lambda state: [node.status for node in state.nodes.values()] == ["unavailable"], 120.0)
        assert "the engine has not answered for 45 s" in state.nodes["n1"].message
        house.engine.exit(task.container_id, 1)
        await anyio.sleep(300.0)
        house.engine.wake()
        await life.until(lambda state: of(state)[0].attempt == 2 and of(state)[0].serving, within=60.0)
        assert (await life.state()).nodes["n1"].status == "ready"
    assert not house.engine.violations


async def test_an_engine_that_hangs_when_gbnt_starts_is_said_to(house: House):
    house.engine.hang()
    async with house.life() as life:
        state = await life.until(lambda state: [node.status for node in state.nodes.values()] == ["unavailable"], 60.0)
        assert "the engine has not answered for 45 s" in state.nodes["n1"].message
        house.engine.wake()
        await life.until(lambda state: state.nodes["n1"].status == "ready", 60.0)


async def test_what_is_free_on_its_disk_is_told_again_only_where_it_has_changed_much(house: House):
    house.engine.gpus = (Gpus("nvidia.com/gpu", "discovered", 1, ("0",)),)
    disk = house.engine.data_disk
    async with house.life() as life:
        node = (await life.until(lambda state: [node.status for node in state.nodes.values()] == ["ready"])).nodes["n1"]
        assert (node.disk, node.gpus) == (disk, house.engine.gpus)
        house.engine.data_disk = replace(disk, free=disk.free - disk.free // 20)
        revision = (await life.state()).revision
        looks = house.engine.calls["disk"]
        await life.eventually(lambda: house.engine.calls["disk"] >= looks + 3)
        assert (await life.state()).revision == revision
        house.engine.data_disk = replace(disk, free=disk.free // 2)
        state = await life.until(lambda state: state.nodes["n1"].disk != disk)
        assert (state.nodes["n1"].disk.free, state.revision) == (disk.free // 2, revision + 1)


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


async def test_a_machine_says_which_paths_it_lacks_while_its_engine_is_there(house: House):
    house.engine.missing_paths = frozenset({"/srv/conf"})
    async with house.life() as life:
        await life.until(lambda state: [node.status for node in state.nodes.values()] == ["ready"])
        asked = protocol.WantPaths(("/etc", "/srv/conf"))
        assert await life.ask(asked, path="agent/executor") == protocol.PathsSeen(("/srv/conf",))


def is_free(free: int, state: State) -> bool:
    return state.nodes["n1"].disk.free == free


async def test_a_disk_that_is_nearly_full_is_an_event_when_it_begins_and_when_it_is_over(house: House):
    disk = house.engine.data_disk
    async with house.life() as life:
        await life.until(lambda state: [node.status for node in state.nodes.values()] == ["ready"])
        for free in (disk.total // 10, disk.total // 2):
            house.engine.data_disk = replace(disk, free=free)
            await life.until(partial(is_free, free))
        kinds = [event.split()[0] for event in await life.events() if event.split()[1] == "rome:"]
        assert kinds[-2:] == ["node.crowded", "node.roomy"]
