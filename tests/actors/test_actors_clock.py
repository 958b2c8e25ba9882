"""A machine whose time of day is set back: nothing waits for the old time to come again."""

import anyio
import pytest

from actors import protocol
from cluster.spec import Port
from engine.fake import FakeImage
from tests.actors.house import House, of, serving
from tests.cluster.build import spec, stack

pytestmark = pytest.mark.anyio

BACK = -3600.0


async def test_a_crashed_container_comes_back_after_its_pause(house: House):
    house.engine.images["web"] = FakeImage(local=True, runs_for=1.0, exit_code=1)
    async with house.life() as life:
        await life.order(protocol.DeployStack(stack(spec(image="web"))))
        await life.until(lambda state: any(task.crashes == 4 and task.restart_at for task in of(state)))
        starts = house.engine.calls["start"]
        house.engine.set_clock(BACK)
        await life.eventually(lambda: house.engine.calls["start"] > starts + 1, within=30.0)


async def test_so_it_does_when_gbnt_begins_after_that(house: House):
    house.engine.images["web"] = FakeImage(local=True, runs_for=1.0, exit_code=1)
    async with house.life() as life:
        await life.order(protocol.DeployStack(stack(spec(image="web"))))
        await life.until(lambda state: any(task.crashes == 4 and task.restart_at for task in of(state)))
        life.kill()
    starts = house.engine.calls["start"]
    house.engine.set_clock(BACK)
    async with house.life() as life:
        await life.eventually(lambda: house.engine.calls["start"] > starts, within=30.0)


async def test_a_look_at_the_containers_is_believed(house: House):
    async with house.life() as life:
        await life.order(protocol.DeployStack(stack(spec(image="web"))))
        (task,) = of(await life.until(serving("shop/web")))
        house.engine.set_clock(BACK)
        house.engine.break_streams()
        house.engine.exit(task.container_id, 1)
        await life.until(lambda state: of(state)[0].attempt == 2 and of(state)[0].serving, within=60.0)


async def test_a_step_that_failed_is_tried_again_after_its_pause(house: House):
    house.engine.held_ports.add(8080)
    async with house.life() as life:
        await life.order(protocol.DeployStack(stack(spec(image="web", ports=(Port(80, 8080),)))))
        await life.until(lambda state: any("already in use" in task.message for task in of(state)))
        house.engine.set_clock(BACK)
        house.engine.held_ports.clear()
        began = anyio.current_time()
        await life.until(serving("shop/web"))
        assert anyio.current_time() - began < 30.0


async def test_an_ill_container_is_restarted_after_its_grace(house: House):
    async with house.life() as life:
        await life.order(protocol.DeployStack(stack(spec("db", image="db"))))
        (task,) = of(await life.until(serving("shop/db")))
        house.engine.set_health(task.container_id, "unhealthy")
        await life.until(lambda state: of(state)[0].health == "unhealthy")
        house.engine.set_clock(BACK)
        await life.until(lambda state: of(state)[0].attempt == 2 and of(state)[0].serving, within=30.0)
