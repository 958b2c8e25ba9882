"""One task's containers: they come back when they end, and its words say what keeps them."""

import re
from dataclasses import replace

import anyio
import pytest

from actors import protocol
from cluster.assignment import Observation
from cluster.container import ContainerSpec, Endpoint
from cluster.model import State, Task
from cluster.progress import Failed, obstacle, verdict
from cluster.spec import Dependency, Port, RestartPolicy
from engine.fake import FakeEngine, FakeImage
from tests.actors.house import House, Life, of, serving
from tests.cluster.build import NOW, spec, stack

pytestmark = pytest.mark.anyio


async def deploy(life: Life, *services) -> None:
    await life.order(protocol.DeployStack(stack(*services)))


def only(state: State, service: str = "shop/web") -> Task:
    """The one wanted task of a service."""
    (task,) = [task for task in of(state, service) if task.desired in ("run", "ready")]
    return task


def says(text: str, service: str = "shop/web"):
    """Whether the task of a service has these words."""
    return lambda state: any(text in task.message for task in of(state, service))


async def test_a_killed_container_is_replaced_at_once(house: House):
    async with house.life() as life:
        await deploy(life, spec(image="web"))
        first = only(await life.until(serving("shop/web")))
        house.engine.exit(first.container_id, 137)
        again = only(
            await life.until(lambda state: only(state).attempt == 2 and serving("shop/web")(state), within=1.0)
        )
        assert again.id == first.id
        assert [(past.number, past.exit_code, past.reason) for past in again.past] == [(1, 137, "exit 137")]


async def test_a_crash_loop_backs_off_and_says_so(house: House):
    house.engine.images["web"] = FakeImage(local=True, runs_for=1.0, exit_code=137, oom_killed=True)
    async with house.life() as life:
        await deploy(life, spec(image="web"))
        state = await life.until(lambda state: any(task.crashes == 4 and task.restart_at for task in of(state)))
        assert re.fullmatch(r"restarting in [34] s \(exit 137, out of memory\)", only(state).message)


async def test_one_that_only_restarts_on_failure_is_complete_when_it_ends_well(house: House):
    house.engine.images["job"] = FakeImage(local=True, runs_for=1.0)
    async with house.life() as life:
        await deploy(life, spec("job", image="job", restart=RestartPolicy("on-failure")))
        await life.until(lambda state: [task.state for task in of(state, "shop/job")] == ["complete"])
    assert house.engine.calls["start"] == 1


async def test_one_that_gives_up_says_after_how_many_tries(house: House):
    house.engine.images["job"] = FakeImage(local=True, runs_for=0.1, exit_code=3)
    async with house.life() as life:
        await deploy(life, spec("job", image="job", restart=RestartPolicy("on-failure", max_attempts=2)))
        state = await life.until(lambda state: any(task.state == "failed" for task in of(state, "shop/job")))
        assert "exit 3; gave up after 3 tries" in only(state, "shop/job").message


async def test_many_tasks_wait_for_one_pull(house: House):
    async with house.life() as life:
        await deploy(life, spec(image="web", replicas=5))
        await life.until(serving("shop/web", 5))
    assert house.engine.calls["pull"] == 1


@pytest.mark.parametrize(("policy", "pulls"), [("missing", 0), ("always", 1)])
async def test_the_pull_policy_decides_whether_an_image_that_is_there_is_pulled(house: House, policy, pulls: int):
    house.engine.images["web"] = FakeImage(local=True)
    async with house.life() as life:
        await deploy(life, spec(image="web", pull_policy=policy))
        await life.until(serving("shop/web"))
    assert house.engine.calls["pull"] == pulls


async def test_one_that_may_not_pull_says_what_to_do(house: House):
    async with house.life() as life:
        await deploy(life, spec(image="web", pull_policy="never"))
        await life.until(says("its pull policy is never: load it, or change that"))
    assert house.engine.calls["pull"] == 0


async def test_an_image_that_does_not_exist_is_told_and_found_once_it_does(house: House):
    async with house.life() as life:
        await deploy(life, spec(image="soon"))
        state = await life.until(says("the registry has no image soon; check its name and tag; trying again in"))
        assert only(state).problem
        house.engine.images["soon"] = FakeImage()
        await life.until(serving("shop/web"))


async def test_a_port_that_is_taken_is_told_and_had_once_it_is_free(house: House):
    house.engine.held_ports.add(8080)
    async with house.life() as life:
        await deploy(life, spec(image="web", ports=(Port(80, 8080),)))
        await life.until(says("port 8080 of this machine is already in use"))
        house.engine.held_ports.clear()
        state = await life.until(serving("shop/web"))
        assert [port.host_port for port in only(state).ports] == [8080]
        assert only(state).attempt == 1


async def test_what_depends_on_it_waits_until_it_is_healthy(house: House):
    async with house.life() as life:
        await deploy(life, spec("db", image="db"), spec(image="web", depends_on=(Dependency("db", "service_healthy"),)))
        state = await life.until(says("waits for db to be healthy"))
        assert not serving("shop/db")(state)
        state = await life.until(serving("shop/web"))
        assert only(state, "shop/db").started_at + 5.0 <= only(state).started_at


async def test_what_waits_for_health_that_nothing_checks_says_so(house: House):
    async with house.life() as life:
        await deploy(
            life, spec("db", image="web"), spec(image="web", depends_on=(Dependency("db", "service_healthy"),))
        )
        state = await life.until(lambda state: any(task.problem for task in of(state, "shop/web")))
        assert only(state).problem == "db has no health check: give it one, or wait for service_started instead"
        assert only(state).message == "waits for db to be healthy"


async def test_what_waits_for_a_service_without_tasks_says_so_until_it_has_some(house: House):
    async with house.life() as life:
        await deploy(life, spec("db", image="db", replicas=0), spec(image="web", depends_on=(Dependency("db"),)))
        state = await life.until(lambda state: any(task.problem for task in of(state, "shop/web")))
        assert only(state).problem == "db has 0 replicas: scale it up"
        assert verdict(state, "shop") == Failed("web.1: db has 0 replicas: scale it up", only(state).id)
        await life.order(protocol.ScaleService("shop/db", 1))
        assert not only(await life.until(serving("shop/web"))).problem


async def test_what_waits_for_a_service_that_a_person_stopped_says_so(house: House):
    async with house.life() as life:
        await deploy(life, spec("db", image="db"), spec(image="web", depends_on=(Dependency("db"),)))
        await life.until(serving("shop/web"))
        await life.order(protocol.HoldStack("shop", True))
        await life.until(lambda state: all(task.state == "stopped" for task in of(state)))
        await life.order(protocol.HoldService("shop/web", False))
        state = await life.until(lambda state: any(task.problem for task in of(state, "shop/web")))
        assert only(state).problem == "db is stopped: start it"
        await life.order(protocol.HoldService("shop/db", False))
        await life.until(serving("shop/web"))


async def test_a_stopped_task_is_replaced_and_says_so(house: House):
    async with house.life() as life:
        await deploy(life, spec(image="web"))
        first = only(await life.until(serving("shop/web")))
        await life.order(protocol.StopTask(first.id))
        state = await life.until(lambda state: serving("shop/web")(state) and only(state).id != first.id)
        assert state.tasks[first.id].state == "stopped"
        assert state.tasks[first.id].message == "stopped by hand; its service replaces it"
        container = await house.engine.container(first.container_id)
        assert container is not None
        assert container.state == "exited"
    assert not house.engine.violations


async def test_a_container_that_a_person_restarts_is_kept_or_gives_way_but_never_doubled(house: House):
    engine = house.engine
    async with house.life() as life:
        await deploy(life, spec(image="web"))
        first = only(await life.until(serving("shop/web")))
        await engine.kill(first.container_id)
        await engine.start(first.container_id)  # as `docker restart` does, while its successor is being made
        await life.until(lambda state: serving("shop/web")(state) and only(state).attempt in (1, 2))

        async def running() -> list[str]:
            return [info.id for info in await engine.containers({}) if info.state == "running"]

        with anyio.fail_after(5.0):
            while len(await running()) != 1:
                await anyio.sleep(0.1)
        await anyio.sleep(120.0)  # and so it stays, whatever is looked at meanwhile
        assert await running() == [only(await life.state()).container_id]


async def test_an_earlier_attempt_that_a_person_starts_gives_way(house: House):
    engine = house.engine
    async with house.life() as life:
        # On the machine's own network no address stands in the way of two at a time.
        on_host = stack(spec(image="web", network_mode="host"))
        services = {name: replace(service, networks=()) for name, service in on_host.services.items()}
        await life.order(protocol.DeployStack(replace(on_host, services=services)))
        first = only(await life.until(serving("shop/web")))
        engine.exit(first.container_id, 1)
        await life.until(lambda state: serving("shop/web")(state) and only(state).attempt == 2)
        await engine.start(first.container_id)
        with anyio.fail_after(5.0):
            while (info := await engine.container(first.container_id)) is None or info.state == "running":
                await anyio.sleep(0.1)
        assert only(await life.state()).attempt == 2


async def test_a_new_image_is_here_before_the_old_container_stops(house: House, engine: FakeEngine):
    engine.images["web2"] = FakeImage(pull_seconds=30.0)
    async with house.life() as life:
        await deploy(life, spec(image="web"))
        first = only(await life.until(serving("shop/web")))
        await deploy(life, spec(image="web2"))
        state = await life.until(says("getting image web2"))
        assert state.tasks[first.id].serving
        state = await life.until(lambda state: state.tasks[first.id].state == "stopped")
        old = await engine.container(first.container_id)
        assert old is not None
        assert await engine.image("web2") is not None
        state = await life.until(lambda state: serving("shop/web")(state) and only(state).id != first.id)
        assert old.finished_at <= only(state).started_at
    assert not engine.violations


async def test_a_foreign_container_on_a_stack_s_network_is_named_until_it_is_off(house: House, engine: FakeEngine):
    async with house.life() as life:
        await deploy(life, spec(image="web"))
        await life.until(serving("shop/web"))
        foreign = await engine.create(ContainerSpec("foreign", "web", {}, endpoints=(Endpoint("shop_default"),)))
        await engine.start(foreign)
        await life.order(protocol.RemoveStack("shop"))
        state = await life.until(lambda state: obstacle(state, "shop"))
        assert obstacle(state, "shop") == (
            "on rome, network shop_default is used by foreign: stop it, or docker network disconnect shop_default NAME"
        )
        life.kill()
    async with house.life() as life:
        await life.state()
        assert engine.calls["remove_network"] > 1
        await engine.stop(foreign, 0.0)
        state = await life.until(lambda state: "shop" not in state.stacks)
        assert state.nodes["n1"].stuck == {}


async def test_a_removed_stack_leaves_nothing_but_its_volumes(house: House, engine: FakeEngine):
    async with house.life() as life:
        await deploy(life, spec(image="web", replicas=2))
        await life.until(serving("shop/web", 2))
        await life.order(protocol.RemoveStack("shop"))
        state = await life.until(lambda state: "shop" not in state.stacks)
        assert (state.tasks, state.services, state.networks) == ({}, {}, {})
    assert await engine.containers({}) == []
    assert [info.name for info in await engine.networks({"gbnt.stack": "shop"})] == []


async def test_a_life_that_begins_behind_the_last_word_of_the_one_before_is_heard_all_the_same(house: House):
    async with house.life() as life:
        await deploy(life, spec(image="web"))
        first = only(await life.until(serving("shop/web")))
        tomorrow = Observation(
            first.id,
            first.sequence + 86_400_000,
            "running",
            "as the clock was ahead",
            NOW,
            1,
            True,
            container_id=first.container_id,
        )
        life.system.ref("senate").tell(protocol.Observed(first.node, "rome-1/nobody", 1, (tomorrow,)))
        await life.until(says("as the clock was ahead"))
        house.engine.exit(first.container_id, 137)
        again = only(await life.until(lambda state: only(state).attempt == 2 and serving("shop/web")(state)))
        house.engine.exit(again.container_id, 1)
        await life.until(lambda state: only(state).attempt == 3 and serving("shop/web")(state))
