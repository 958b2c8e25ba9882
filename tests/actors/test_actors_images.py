"""Images: one pull at a time for each, and no wait for another's pull where the image is here."""

import anyio
import pytest

from actors import protocol
from cluster.spec import PullPolicy
from engine.fake import FakeEngine, FakeImage
from engine.port import EngineUnavailable
from tests.actors.house import House, Life, of, serving
from tests.cluster.build import spec, stack

pytestmark = pytest.mark.anyio


async def want(life: Life, *wishes: tuple[str, PullPolicy]) -> list[tuple[object, float]]:
    """What each wish came to, and after how many seconds; all are asked for at the same time."""
    await life.until(lambda state: state.nodes)  # the agent is there
    began, answers = anyio.current_time(), dict[int, tuple[object, float]]()

    async def ask(number: int, image: str, policy: PullPolicy) -> None:
        answer = await life.ask(protocol.WantImage(image, policy, f"t{number}"), path="agent/images")
        answers[number] = answer, anyio.current_time() - began

    async with anyio.create_task_group() as group:
        for number, (image, policy) in enumerate(wishes):
            group.start_soon(ask, number, image, policy)
    return [answers[number] for number in range(len(wishes))]


@pytest.mark.parametrize("order", [1, -1])
async def test_those_who_miss_an_image_and_those_who_always_pull_share_one_pull(
    house: House, engine: FakeEngine, order: int
):
    wishes: list[tuple[str, PullPolicy]] = [("web", "missing"), ("web:latest", "always"), ("web", "always")]
    async with house.life() as life:
        answers = await want(life, *wishes[::order])
        assert {type(answer) for answer, _ in answers} == {protocol.ImageHere}
        assert engine.calls["pull"] == 1


async def test_who_finds_the_image_does_not_wait_for_another_s_pull(house: House, engine: FakeEngine):
    engine.images["web"] = FakeImage(pull_seconds=20.0, local=True)
    async with house.life() as life:
        (_, pulled), (found, waited), (_, never) = await want(
            life, ("web", "always"), ("web", "missing"), ("web", "never")
        )
        assert isinstance(found, protocol.ImageHere)
        assert waited == never == 0.0
        assert pulled >= 20.0
        assert engine.calls["pull"] == 1


async def test_who_never_pulls_is_told_so_while_another_does(house: House, engine: FakeEngine):
    async with house.life() as life:
        (pulled, _), (failed, waited) = await want(life, ("web", "missing"), ("web", "never"))
        assert isinstance(pulled, protocol.ImageHere)
        assert isinstance(failed, protocol.Failed)
        assert "its pull policy is never" in failed.reason
        assert waited < 2.0


async def test_a_pull_that_fails_fails_all_who_wait_and_is_tried_anew_for_the_next(house: House, engine: FakeEngine):
    async with house.life() as life:
        engine.refuse("pull", EngineUnavailable("the engine does not answer"))
        for answer, _ in await want(life, ("web", "always"), ("web", "always")):
            assert answer == protocol.Failed("the engine does not answer", down=True)
        [(answer, _)] = await want(life, ("web", "missing"))
        assert isinstance(answer, protocol.ImageHere)
        assert engine.calls["pull"] == 2


async def test_a_pull_that_stalls_ends_with_a_reason_and_the_next_try_pulls_anew(house: House, engine: FakeEngine):
    engine.images["web"] = FakeImage(pull_seconds=1e6)
    async with house.life() as life:
        await life.order(protocol.DeployStack(stack(spec(image="web"))))
        await anyio.sleep(295.0)
        [task] = of(await life.until(lambda state: any(task.problem for task in of(state))))
        assert task.problem == (
            "the pull of image web brought nothing for 5 minutes: see whether this machine reaches its registry"
        )
        engine.images["web"] = FakeImage(pull_seconds=2.0)
        await life.until(serving("shop/web"), within=30.0)
        assert engine.calls["pull"] == 2


async def test_a_pull_that_is_slow_is_waited_for(house: House, engine: FakeEngine):
    engine.images["web"] = FakeImage(pull_seconds=1_000.0)
    async with house.life() as life:
        await life.order(protocol.DeployStack(stack(spec(image="web"))))
        await anyio.sleep(1_000.0)
        await life.until(serving("shop/web"), within=30.0)
    assert engine.calls["pull"] == 1
