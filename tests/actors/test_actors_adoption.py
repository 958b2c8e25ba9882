"""What a life of gbnt finds when it begins: containers of its own, of nobody, and of a state that was restored."""

from collections.abc import Mapping, Sequence

import anyio
import pytest

from actors import protocol
from actors.agent import Agent
from cluster.container import ContainerSpec
from cluster.decide.nodes import HOLD
from engine.fake import FakeEngine
from engine.port import ContainerInfo
from store import entities
from store.schema import Table
from supervisor.actor import Context
from tests.actors.house import CLUSTER, House, Life, serving, time_of_day
from tests.cluster.build import spec, stack

pytestmark = pytest.mark.anyio

LABELS = {"gbnt.cluster": CLUSTER}


def all_are(life: Life, state: str, number: int) -> bool:
    """Whether so many tasks' actors are there, and each says that its container is in this state."""
    actors = [info for info in life.system.inspect("agent/tasks") if info.kind == "TaskActor"]
    return [info.detail.get("state") for info in actors] == [state] * number


async def stranger(engine: FakeEngine) -> ContainerInfo:
    """A container that carries the cluster's labels, of a task that no state knows."""
    engine.images["old"] = engine.images["db"]
    labels = {**LABELS, "gbnt.stack": "old", "gbnt.service": "x", "gbnt.slot": "1", "gbnt.task": "gone"}
    container = await engine.create(ContainerSpec("old-x-1", "old", labels))
    await engine.start(container)
    info = await engine.container(container)
    assert info is not None
    return info


@pytest.mark.parametrize("end", ["in order", "killed"])
async def test_a_restart_of_gbnt_restarts_no_container(house: House, end: str):
    async with house.life() as life:
        await life.order(protocol.DeployStack(stack(spec(image="web", replicas=3))))
        await life.until(serving("shop/web", 3))
        if end == "killed":
            life.kill()
    async with house.life() as life:
        state = await life.until(serving("shop/web", 3))
        await life.eventually(lambda: all_are(life, "running", 3))
    assert (house.engine.calls["start"], house.engine.calls["create"]) == (3, 3)
    assert all(task.attempt == 1 for task in state.tasks.values())


async def test_orders_that_come_while_the_engine_is_looked_over_wait_for_no_other_look(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    async with house.life() as life:
        await life.order(protocol.DeployStack(stack(spec(image="web"))))
        await life.until(serving("shop/web"))
        life.kill()
    listed, started = house.engine.containers, Agent.started

    async def slowly(labels: Mapping[str, str]) -> Sequence[ContainerInfo]:
        found = await listed(labels)
        await anyio.sleep(3.0)
        return found

    async def early(self: Agent, ctx: Context) -> None:
        await started(self, ctx)
        await anyio.sleep(1.0)  # the look is under way, and the orders come after this

    monkeypatch.setattr(house.engine, "containers", slowly)
    monkeypatch.setattr(Agent, "started", early)
    async with house.life() as life:
        await life.order(protocol.RemoveStack("shop"))
        await life.until(lambda state: not state.stacks, within=30.0)


async def test_what_was_deployed_while_gbnt_was_killed_is_there_afterwards(house: House):
    async with house.life() as life:
        accepted = await life.order(protocol.DeployStack(stack(spec(image="web")), request="r1"))
        life.kill()
    async with house.life() as life:
        assert await life.order(protocol.DeployStack(stack(spec(image="web")), request="r1")) == accepted
        await life.until(serving("shop/web"))
        assert house.engine.calls["create"] == 1


async def test_a_container_that_no_task_knows_is_removed(house: House):
    await stranger(house.engine)
    async with house.life() as life:
        await life.state()
        await life.eventually(lambda: house.engine.calls["remove"])
    assert await house.engine.container("old-x-1") is None


async def hold(house: House) -> None:
    """As a restore leaves it: what no task knows is not to be touched."""
    store = await house.open_store()
    epoch = await store.claim_epoch("a test")
    await store.apply([entities.put(Table.SETTINGS, HOLD, '"yes"', version=0)], rid="hold", epoch=epoch)
    await store.close()


async def test_after_a_restore_it_is_held_until_a_person_confirms(house: House):
    await stranger(house.engine)
    await hold(house)
    async with house.life() as life:
        await life.until(lambda state: any(node.held == ("old-x-1",) for node in state.nodes.values()))
        assert await house.engine.container("old-x-1") is not None
        await life.order(protocol.ReleaseHeld())
        await life.eventually(lambda: house.engine.calls["remove"])
    assert await house.engine.container("old-x-1") is None


async def test_after_a_restore_no_task_starts_beside_a_later_one_of_its_slot(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    later = await stranger(house.engine)
    await hold(house)
    remove, removed = house.engine.remove, dict[str, float]()

    async def slowly(container: str) -> None:
        await anyio.sleep(5.0)
        await remove(container)
        removed[container] = time_of_day()

    monkeypatch.setattr(house.engine, "remove", slowly)
    file = stack(spec("x", image="web", replicas=2), name="old")
    words = "waits for `gbnt snapshot confirm`: old-x-1 of a later revision runs"
    async with house.life() as life:
        await life.order(protocol.DeployStack(file))
        state = await life.until(serving("old/x"))
        assert {task.slot: task.problem for task in state.tasks.values()} == {1: words, 2: ""}
        life.kill()
    async with house.life() as life:
        await anyio.sleep(30.0)
        state = await life.state()
        assert {task.slot: task.message for task in state.tasks.values()} == {1: words, 2: "running"}
        assert [one.name for one in await house.engine.containers(LABELS) if one.labels["gbnt.slot"] == "1"] == [
            "old-x-1"
        ]
        await life.order(protocol.ReleaseHeld())
        state = await life.until(serving("old/x", 2), within=30.0)
        assert next(task for task in state.tasks.values() if task.slot == 1).started_at >= removed[later.id]
