"""The fake engine in virtual time: what its images promise happens at its moment, and bad luck is repeatable."""

from random import Random

import anyio
import pytest
import trio
import trio.testing

from cluster.container import ContainerSpec, PortBinding
from cluster.spec import Healthcheck
from engine.fake import FakeEngine, FakeImage, Faults
from engine.port import DiskFull, EngineError, EngineUnavailable, PortTaken
from tests.contract.engine_stage import texts

SLOT = {"gbnt.stack": "shop", "gbnt.service": "web", "gbnt.slot": "1"}
CHECK = Healthcheck(("CMD", "true"))


@pytest.fixture
def autojump_clock() -> trio.testing.MockClock:
    return trio.testing.MockClock(autojump_threshold=0)


@pytest.fixture
def engine() -> FakeEngine:
    engine = FakeEngine()
    engine.images["web"] = FakeImage(local=True)
    return engine


def spec(name: str = "web", image: str = "web", **changes) -> ContainerSpec:
    return ContainerSpec(name, image, {"tier": "front"}, **changes)


async def run(engine: FakeEngine, name: str = "web", image: str = "web", **changes) -> str:
    container = await engine.create(spec(name, image, **changes))
    await engine.start(container)
    return container


# -- time -----------------------------------------------------------------------------------------------------------


@pytest.mark.trio
async def test_a_container_ends_at_its_time_whether_somebody_looks_or_not(engine: FakeEngine, autojump_clock):
    engine.images["job"] = FakeImage(local=True, runs_for=5.0, exit_code=3, oom_killed=True)
    container = await run(engine, image="job")
    began = anyio.current_time()
    await anyio.sleep(60)
    info = await engine.container(container)
    assert info is not None
    assert (info.state, info.exit_code, info.oom_killed) == ("exited", 3, True)
    assert info.finished_at - began == pytest.approx(5.0)


@pytest.mark.trio
async def test_events_come_at_their_time(engine: FakeEngine, autojump_clock):
    engine.images["web"] = FakeImage(local=True, healthy_after=2.0, unhealthy_after=4.0, runs_for=7.0)
    began = anyio.current_time()
    told = []
    async with engine.events({"tier": "front"}) as events:
        await run(engine, healthcheck=CHECK)
        for _ in range(5):
            event = await anext(events)
            assert anyio.current_time() == pytest.approx(event.at)
            told.append((event.action, event.health, round(event.at - began, 3)))
    assert told == [
        ("create", "", 0.0),
        ("start", "", 0.0),
        ("health", "healthy", 2.0),
        ("health", "unhealthy", 4.0),
        ("die", "", 7.0),
    ]


@pytest.mark.trio
async def test_stop_takes_as_long_as_the_program_or_the_grace(engine: FakeEngine, autojump_clock):
    engine.images["slow"] = FakeImage(local=True, stops_in=3.0)
    for grace, taken, code in ((10.0, 3.0, 143), (2.0, 2.0, 137)):
        container = await run(engine, f"slow-{grace}", "slow")
        began = anyio.current_time()
        await engine.stop(container, grace)
        assert anyio.current_time() - began == pytest.approx(taken)
        info = await engine.container(container)
        assert info is not None
        assert info.exit_code == code


@pytest.mark.trio
async def test_a_pull_takes_its_time_and_brings_the_image_of_that_moment(engine: FakeEngine, autojump_clock):
    engine.images["shop:2"] = FakeImage(pull_seconds=8.0, size=1000)
    began = anyio.current_time()
    steps = [(step.done, step.total) async for step in engine.pull("shop:2")]
    assert anyio.current_time() - began == pytest.approx(8.0)
    assert steps == [(0, 1000), (250, 1000), (500, 1000), (750, 1000), (1000, 1000)]
    before = await engine.image("shop:2")
    engine.images["shop:2"] = FakeImage(size=2000)
    assert await engine.image("shop:2") == before
    async for _ in engine.pull("shop:2"):
        pass
    assert await engine.image("shop:2") != before


@pytest.mark.trio
async def test_a_followed_log_waits_for_what_is_written(engine: FakeEngine, autojump_clock):
    container = await run(engine)
    read: list[str] = []

    async def follow() -> None:
        read.extend(await texts(engine.logs(container, follow=True)))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(follow)
        await anyio.sleep(1)
        engine.write(container, "hello")
        await anyio.sleep(1)
        engine.exit(container, 0)
    assert read == ["hello"]


# -- bad days -------------------------------------------------------------------------------------------------------


@pytest.mark.trio
async def test_a_crash_ends_containers_and_streams_and_keeps_the_rest(engine: FakeEngine, autojump_clock):
    container = await run(engine)
    async with engine.events({}) as events:
        engine.crash()
        with pytest.raises(EngineUnavailable):
            await anext(events)
    with pytest.raises(EngineUnavailable):
        await engine.info()
    engine.restart()
    info = await engine.container(container)
    assert info is not None
    assert (info.state, info.exit_code) == ("exited", 137)
    await engine.start(container)


@pytest.mark.trio
async def test_a_call_under_way_learns_of_the_crash(engine: FakeEngine, autojump_clock):
    engine.images["deaf"] = FakeImage(local=True, stops_in=None)
    container = await run(engine, image="deaf")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(restart_after, engine, 1.0)
        with pytest.raises(EngineUnavailable):
            await engine.stop(container, 10.0)
    assert (await engine.info()).id


@pytest.mark.trio
async def test_a_stream_can_be_broken_while_the_engine_goes_on(engine: FakeEngine):
    async with engine.events({}) as events:
        engine.break_streams()
        with pytest.raises(EngineUnavailable):
            await anext(events)
    await run(engine)


@pytest.mark.trio
async def test_a_planned_refusal_comes_in_the_place_of_its_effect_or_after_it(engine: FakeEngine):
    engine.refuse("create", DiskFull("full"))
    with pytest.raises(DiskFull):
        await engine.create(spec())
    assert await engine.containers({}) == []
    engine.refuse("create", EngineUnavailable("who knows"), after=True)
    with pytest.raises(EngineUnavailable):
        await engine.create(spec())
    assert [info.name for info in await engine.containers({})] == ["web"]
    assert engine.calls["create"] == 2


@pytest.mark.trio
async def test_a_port_that_some_process_holds_is_taken(engine: FakeEngine):
    engine.held_ports.add(8080)
    with pytest.raises(PortTaken, match="8080"):
        await run(engine, ports=(PortBinding(80, host_port=8080),))


@pytest.mark.trio
async def test_two_running_containers_of_one_slot_are_a_violation(engine: FakeEngine):
    one = await engine.create(ContainerSpec("one", "web", SLOT))
    two = await engine.create(ContainerSpec("two", "web", SLOT))
    await engine.start(one)
    await engine.stop(one, 1.0)
    await engine.start(two)
    assert engine.violations == []
    await engine.start(one)
    [violation] = engine.violations
    assert "one, two" in violation


@pytest.mark.trio
async def test_the_same_seed_brings_the_same_bad_luck(autojump_clock):
    histories = [await unlucky_history(seed) for seed in (7, 7, 8)]
    assert histories[0] == histories[1] != histories[2]
    assert {"before", "after", "done"} <= {outcome for outcome, _ in histories[0]}


async def restart_after(engine: FakeEngine, seconds: float) -> None:
    await anyio.sleep(seconds)
    engine.restart()


async def unlucky_history(seed: int) -> list[tuple[str, float]]:
    """What became of many creates, and when: done, or failed before or after the effect."""
    engine = FakeEngine(faults=Faults(Random(seed), before=0.2, after=0.2, slow=0.3))
    engine.images["web"] = FakeImage(local=True)
    began = anyio.current_time()
    history = []
    for number in range(60):
        outcome = "done"
        try:
            await engine.create(spec(f"web-{number}"))
        except EngineError:
            faults, engine.faults = engine.faults, None
            outcome = "before" if await engine.container(f"web-{number}") is None else "after"
            engine.faults = faults
        history.append((outcome, round(anyio.current_time() - began, 6)))
    return history
