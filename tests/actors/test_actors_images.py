"""Images: one pull at a time for each, and no wait for another's pull where the image is here."""

import anyio
import pytest

from actors import protocol
from cluster.registries import Credential
from cluster.spec import PullPolicy
from engine.fake import FakeEngine, FakeImage
from engine.port import EngineUnavailable, ImageInfo, ImageLimited
from tests.actors.house import NODE, House, Life, of, serving
from tests.cluster.build import spec, stack

pytestmark = pytest.mark.anyio

HUB = "hub.example"
PRIVATE = f"{HUB}/web:1"
NERO = Credential("nero", "qualis-artifex")


def private(engine: FakeEngine) -> None:
    """Let there be an image that only nero may pull."""
    engine.images[PRIVATE] = FakeImage()
    engine.registry.accounts[HUB] = NERO


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


async def test_a_pull_answers_who_looked_too_early_to_find_its_image(
    house: House, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
):
    look, looks = engine.image, list[str]()

    async def slow(reference: str) -> ImageInfo | None:
        looks.append(reference)
        found = await look(reference)
        await anyio.sleep(60.0 if len(looks) == 1 else 0.0)
        return found

    monkeypatch.setattr(engine, "image", slow)
    async with house.life() as life:
        answers = await want(life, ("web", "never"), ("web", "missing"), ("web", "always"))
        assert {type(answer) for answer, _ in answers} == {protocol.ImageHere}
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


async def test_an_image_that_needs_a_sign_in_says_so_and_is_pulled_once_there_is_one(house: House, engine: FakeEngine):
    private(engine)
    async with house.life() as life:
        await life.order(protocol.DeployStack(stack(spec(image=PRIVATE))))
        [task] = of(await life.until(lambda state: any(task.problem for task in of(state))))
        assert task.problem == (
            f"the registry denies image {PRIVATE}: there is no such image, or it needs a sign-in, by "
            f"`gbnt registry login {HUB}`"
        )
        await life.order(protocol.SignIn(HUB, "nero", house.vault.seal(HUB, "", NERO)))
        await life.until(serving("shop/web"), within=60.0)


async def test_a_sign_in_that_is_not_taken_is_told_by_name_and_never_by_password(house: House, engine: FakeEngine):
    private(engine)
    async with house.life() as life:
        wrong = house.vault.seal(HUB, "", Credential("nero", "not-that"))
        await life.order(protocol.SignIn(HUB, "nero", wrong))
        await life.order(protocol.DeployStack(stack(spec(image=PRIVATE))))
        [task] = of(await life.until(lambda state: any(task.problem for task in of(state))))
        assert f"denies image {PRIVATE} to nero: see that nero may have it, or sign in anew" in task.problem
        assert "not-that" not in str(await life.events()) + repr(task) + repr(await life.state())


async def test_each_stack_pulls_by_what_came_with_it(house: House, engine: FakeEngine):
    private(engine)
    file = spec(image=PRIVATE)
    brought = protocol.Brought(HUB, "nero", house.vault.seal(HUB, "shop", NERO))
    async with house.life() as life:
        await life.order(protocol.DeployStack(stack(file, name="poor")))
        await life.order(protocol.DeployStack(stack(file), (brought,)))
        state = await life.until(serving("shop/web"))
        assert not serving("poor/web")(state)
        assert of(state, "poor/web")[0].problem


async def test_a_sign_in_that_cannot_be_opened_any_more_says_what_to_do(house: House, engine: FakeEngine):
    private(engine)
    async with house.life() as life:
        await life.order(protocol.SignIn(HUB, "nero", house.vault.seal(HUB, "", NERO)))
        house.vault.key = "another"
        await life.order(protocol.DeployStack(stack(spec(image=PRIVATE))))
        await life.until(lambda state: any("was sealed by another key" in task.problem for task in of(state)))


async def test_a_registry_that_limits_is_asked_again_ever_more_seldom(house: House, engine: FakeEngine):
    limited = ImageLimited("the registry gives no more for now (image web)")
    engine.refuse("pull", limited, times=3)
    async with house.life() as life:
        await life.order(protocol.DeployStack(stack(spec(image="web"))))
        [task] = of(await life.until(lambda state: any(task.problem for task in of(state))))
        assert "gives more to who signs in, by `gbnt registry login docker.io`" in task.problem
        began = anyio.current_time()
        await life.until(serving("shop/web"), within=1_000.0)
        assert anyio.current_time() - began > 0.8 * (60 + 120 + 240) - 5


async def test_a_pinned_image_is_pulled_by_its_digest_and_another_one_is_not_taken_for_it(
    house: House, engine: FakeEngine
):
    digest = await engine.digest("web")
    async with house.life() as life:
        await life.order(protocol.DeployStack(stack(spec(image="web", digest=digest))))
        await life.until(serving("shop/web"))
        [container] = await engine.containers({})
        assert container.image == f"web@{digest}"
        await life.order(protocol.DeployStack(stack(spec(image="web", digest="sha256:gone"))))
        await life.until(lambda state: any("has no image web@sha256:gone" in task.problem for task in of(state)))


async def test_nobody_is_lent_what_its_task_does_not_need(house: House, engine: FakeEngine):
    private(engine)
    async with house.life() as life:
        await life.order(protocol.SignIn(HUB, "nero", house.vault.seal(HUB, "", NERO)))
        await life.order(protocol.DeployStack(stack(spec(image=PRIVATE), spec("db", image="web"))))
        state = await life.until(serving("shop/web"))
        [web], [db] = of(state, "shop/web"), of(state, "shop/db")

        async def lent(node: str, task: str) -> Credential | None:
            answer = await life.ask(protocol.WantCredential(node, task), path="keyring")
            assert isinstance(answer, protocol.Lent)
            return answer.credential

        assert await lent(NODE, web.id) == NERO
        assert await lent(NODE, db.id) is None
        assert await lent("n2", web.id) is None
        assert await lent(NODE, "nobody") is None
