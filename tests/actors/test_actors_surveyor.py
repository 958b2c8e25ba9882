"""What a machine says of its room and load, and what it removes when it is told to."""

from __future__ import annotations

from dataclasses import replace

import anyio
import pytest

from actors import protocol
from actors.sampler import AT_ONCE, FRESH
from actors.surveyor import SURVEYOR
from cluster.containers import TASK
from cluster.load import Sample
from cluster.model import State
from cluster.pruning import spent
from cluster.usage import Usage
from engine.fake import FakeImage
from engine.port import EngineError, EngineUnavailable, Refused
from tests.actors.house import CLUSTER, NODE, House, of, serving
from tests.cluster.build import spec, stack

pytestmark = pytest.mark.anyio


def job(**fields) -> protocol.DeployStack:
    """Work that is done at once, beside what goes on."""
    return protocol.DeployStack(stack(spec(image="web"), spec("job", image="job", **fields)))


@pytest.fixture(autouse=True)
def images(house: House) -> None:
    house.engine.images["web"] = FakeImage(cpus=0.5, memory=7_000_000)
    house.engine.images["job"] = FakeImage(runs_for=1.0)
    house.engine.images["other"] = FakeImage()


def done(state: State) -> bool:
    return serving("shop/web")(state) and [task.state for task in of(state, "shop/job")] == ["complete"]


async def test_what_nothing_needs_is_found_and_removed_and_nothing_begins_anew(house: House):
    once = replace(spec().restart, condition="none")
    async with house.life() as life:
        await life.order(job(restart=once))
        state = await life.until(done)
        seen = await life.ask(protocol.WantUsage(), path=SURVEYOR)
        assert isinstance(seen, protocol.UsageSeen)
        found = spent(state, NODE, CLUSTER, seen.usage)
        (container,) = found.containers
        (task,) = of(state, "shop/job")
        assert (container.id, container.labels[TASK], found.images) == (task.container_id, task.id, ())
        pruned = await life.ask(protocol.Prune((container.id,), {}), path=SURVEYOR)
        assert pruned == protocol.Pruned((container.id,))
        await anyio.sleep(200.0)  # longer than the agent's slow look over all containers
        assert done(await life.state())
        assert [one.labels[TASK] for one in await house.engine.containers({})] != [task.id]
    assert not house.engine.violations


async def test_an_image_that_only_the_past_needed_goes(house: House):
    async with house.life() as life:
        await life.order(protocol.DeployStack(stack(spec(image="other"))))
        await life.until(serving("shop/web"))
        await life.order(protocol.DeployStack(stack(spec(image="web"))))
        state = await life.until(
            lambda state: serving("shop/web")(state) and of(state)[-1].revision != of(state)[0].revision
        )
        seen = await life.ask(protocol.WantUsage(), path=SURVEYOR)
        assert isinstance(seen, protocol.UsageSeen)
        assert spent(state, NODE, CLUSTER, seen.usage).images == ()  # the stack may go back to it
        await life.order(protocol.RemoveStack("shop"))
        await life.until(lambda state: not state.stacks)
        await life.order(protocol.DeployStack(stack(spec(image="web"), name="blog")))
        state = await life.until(serving("blog/web"))
        seen = await life.ask(protocol.WantUsage(), path=SURVEYOR)
        assert isinstance(seen, protocol.UsageSeen)
        (image,) = spent(state, NODE, CLUSTER, seen.usage).images
        assert image.tags == ("other:latest",)
        pruned = await life.ask(protocol.Prune((), {image.id: image.tags}), path=SURVEYOR)
        assert pruned == protocol.Pruned((image.id,))
        assert await house.engine.image("other") is None
        assert await house.engine.image("web") is not None


async def test_what_runs_or_is_in_use_stays_and_says_why(house: House):
    async with house.life() as life:
        await life.order(protocol.DeployStack(stack(spec(image="web"))))
        (task,) = of(await life.until(serving("shop/web")))
        image = await house.engine.image("web")
        assert image is not None
        pruned = await life.ask(protocol.Prune((task.container_id,), {image.id: ("web:latest",)}), path=SURVEYOR)
        assert isinstance(pruned, protocol.Pruned)
        assert pruned.gone == ()
        assert pruned.kept[task.container_id] == "is running by now"
        assert pruned.kept[image.id].startswith("is in use: image web:latest is still used by a container")
        assert serving("shop/web")(await life.state())


async def test_a_name_that_another_image_has_by_now_is_not_taken_from_that(house: House):
    house.engine.images["other"] = FakeImage(local=True)
    async with house.life() as life:
        await life.state()
        names = {"sha256:before": ("other:before", "other:latest")}
        pruned = await life.ask(protocol.Prune((), names), path=SURVEYOR)
        why = "is other:latest no more: another image has that name by now"
        assert pruned == protocol.Pruned((), {"sha256:before": why})
        assert await house.engine.image("other") is not None


async def test_machine_and_containers_say_how_busy_they_are(house: House):
    async with house.life() as life:
        await life.order(protocol.DeployStack(stack(spec(image="web"))))
        (task,) = of(await life.until(serving("shop/web")))
        seen = await life.ask(protocol.WantLoad((task.container_id, "gone")), path=SURVEYOR)
        assert isinstance(seen, protocol.LoadSeen)
        assert seen.load == house.engine.machine_load
        assert list(seen.samples) == [task.container_id]
        assert seen.samples[task.container_id].memory == 7_000_000


async def test_one_container_that_the_engine_has_no_word_on_hides_no_other(house: House):
    async with house.life() as life:
        await life.order(protocol.DeployStack(stack(spec(image="web", replicas=2))))
        tasks = of(await life.until(serving("shop/web", 2)))
        house.engine.refuse("sample", Refused("it has no counters"))
        seen = await life.ask(protocol.WantLoad(tuple(task.container_id for task in tasks)), path=SURVEYOR)
        assert isinstance(seen, protocol.LoadSeen)
        assert (seen.load, len(seen.samples)) == (house.engine.machine_load, 1)
        await anyio.sleep(2 * FRESH)
        house.engine.refuse("sample", EngineUnavailable("it stopped"))
        failed = await life.ask(protocol.WantLoad((tasks[0].container_id,)), path=SURVEYOR)
        assert failed == protocol.Failed("does not say: it stopped", down=True)


async def test_a_container_is_sampled_once_for_all_who_ask_within_half_a_second(house: House, monkeypatch):
    sampled, sample = list[str](), house.engine.sample
    busy = most = 0

    async def slow(container: str) -> Sample | None:
        nonlocal busy, most
        sampled.append(container)
        busy += 1
        most = max(most, busy)
        await anyio.sleep(0.1)
        busy -= 1
        return await sample(container)

    async with house.life() as life:
        await life.order(protocol.DeployStack(stack(spec(image="web", replicas=2))))
        one, other = [task.container_id for task in of(await life.until(serving("shop/web", 2)))]
        gone = [f"gone-{number}" for number in range(20)]
        monkeypatch.setattr(house.engine, "sample", slow)

        async def ask(*containers: str) -> None:
            seen = await life.ask(protocol.WantLoad(containers), path=SURVEYOR)
            assert isinstance(seen, protocol.LoadSeen)
            assert set(seen.samples) == {one, other} & set(containers)

        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(ask, one)
            group.start_soon(ask, one, other)
        await ask(one)
        assert sorted(sampled) == sorted((one, other))
        sampled.clear()
        await anyio.sleep(FRESH)
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(ask, one, *gone)
        assert sorted(sampled) == sorted((one, *gone))
        assert most == AT_ONCE


async def test_an_engine_adds_up_its_files_once_for_all_who_wait_for_that(house: House, monkeypatch):
    begun, go_on, answers = list[int](), anyio.Event(), list[object]()

    async def slow() -> Usage:
        begun.append(len(answers))
        await go_on.wait()
        return Usage()

    async with house.life() as life:
        await life.state()
        monkeypatch.setattr(house.engine, "usage", slow)

        async def ask() -> None:
            answers.append(await life.ask(protocol.WantUsage(), path=SURVEYOR))

        async with anyio.create_task_group() as group:
            with anyio.move_on_after(1.0):  # an asker that goes
                await ask()
            for _ in range(3):
                group.start_soon(ask)
            await anyio.sleep(1.0)
            go_on.set()
        assert answers == [protocol.UsageSeen(Usage())] * 3
        await ask()  # is told anew
        assert begun == [0, 3]


@pytest.mark.parametrize("error", [Refused("the engine has a bad day")])
async def test_an_engine_that_does_not_say_is_no_reason_to_crash(house: House, error: EngineError):
    async with house.life() as life:
        await life.state()
        house.engine.refuse("usage", error)
        failed = await life.ask(protocol.WantUsage(), path=SURVEYOR)
        assert failed == protocol.Failed("does not say: the engine has a bad day")
        assert life.actor(SURVEYOR).restarts == 0
