"""What a task waits for may be on another machine: its gates open by what all machines have of it."""

from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from actors import protocol
from cluster.model import State, Task
from cluster.spec import (
    Attachment,
    Condition,
    Dependency,
    NetworkSpec,
    Placement,
    RestartPolicy,
    ServiceSpec,
    StackSpec,
)
from engine.fake import FakeEngine, FakeImage
from tests.actors.house import of, serving, time_of_day
from tests.actors.legion import MANAGER, Legion, legion
from tests.actors.test_actors_membership import status
from tests.cluster.build import spec, stack

pytestmark = pytest.mark.anyio

NETWORKS = {key: NetworkSpec(f"shop_{key}") for key in ("front", "back")}


def slow() -> FakeEngine:
    """An engine whose databases are healthy after 5 s; its jobs take as long, as does the pull of what is late."""
    engine = FakeEngine(time_of_day)
    engine.images["web"] = FakeImage(local=True)
    engine.images["db"] = FakeImage(local=True, healthcheck=True, healthy_after=5.0)
    engine.images["late"] = FakeImage(pull_seconds=5.0)
    engine.images["job"] = FakeImage(runs_for=5.0)
    return engine


def at(machine: str, service: ServiceSpec, network: str) -> ServiceSpec:
    """The service on that machine alone; those of one network would have to be on the same."""
    placement = Placement((f"node.hostname == {machine}",))
    return replace(service, placement=placement, networks=(Attachment(network),))


def apart(need: ServiceSpec, condition: Condition) -> StackSpec:
    """`web` on rome-2, which waits for what is on the manager."""
    web = spec("web", image="web", depends_on=(Dependency(need.name, condition),))
    return stack(at(MANAGER, need, "back"), at("rome-2", web, "front"), networks=NETWORKS)


def says(text: str, service: str = "shop/web"):
    return lambda state: any(task.message == text for task in of(state, service))


def only(state: State, service: str) -> Task:
    (task,) = of(state, service)
    return task


async def deployed(one: Legion) -> State:
    """Have `web` on rome-2 run, which waits for `db` on the manager to be healthy."""
    await one.manager.order(protocol.DeployStack(apart(spec("db", image="db"), "service_healthy")))
    return await one.manager.until(serving("shop/web"))


async def test_a_global_service_starts_everywhere_once_what_it_waits_for_runs_somewhere(tmp_path: Path):
    async with legion(tmp_path, "rome-2", "rome-3", engine=slow) as one:
        db = spec("db", image="late", placement=Placement((f"node.hostname == {MANAGER}",)))
        agent = spec("agent", image="web", mode="global", depends_on=(Dependency("db"),))
        await one.manager.order(protocol.DeployStack(stack(db, agent)))
        await one.manager.until(
            lambda state: [t.message for t in of(state, "shop/agent")] == ["waits for db to start"] * 3
        )
        state = await one.manager.until(serving("shop/agent", 3), within=20.0)
        began = only(state, "shop/db").started_at
        assert all(task.started_at >= began for task in of(state, "shop/agent"))


async def test_health_on_another_machine_is_waited_for(tmp_path: Path):
    async with legion(tmp_path, "rome-2", engine=slow) as one:
        await one.manager.order(protocol.DeployStack(apart(spec("db", image="db"), "service_healthy")))
        await one.manager.until(says("waits for db to be healthy"))
        state = await one.manager.until(serving("shop/web"), within=20.0)
        assert only(state, "shop/db").started_at + 5.0 <= only(state, "shop/web").started_at


async def test_health_that_nothing_checks_on_another_machine_is_told_as_what_keeps_it(tmp_path: Path):
    async with legion(tmp_path, "rome-2", engine=slow) as one:
        await one.manager.order(protocol.DeployStack(apart(spec("db", image="web"), "service_healthy")))
        state = await one.manager.until(lambda state: any(task.problem for task in of(state, "shop/web")), within=20.0)
        said = "db has no health check: give it one, or wait for service_started instead"
        assert only(state, "shop/web").problem == said


async def test_one_off_work_has_to_complete_on_all_machines(tmp_path: Path):
    async with legion(tmp_path, "rome-2", engine=slow) as one:
        one.homes[MANAGER].engine.images["job"] = FakeImage(runs_for=1.0)
        once = RestartPolicy("on-failure")
        job = spec("job", image="job", replicas=2, restart=once, placement=Placement(max_replicas_per_node=1))
        web = spec("web", image="web", mode="global", depends_on=(Dependency("job", "service_completed_successfully"),))
        await one.manager.order(protocol.DeployStack(stack(job, web)))
        state = await one.manager.until(
            lambda state: sorted(task.state for task in of(state, "shop/job")) == ["complete", "running"]
        )
        assert not any(task.serving for task in of(state, "shop/web"))
        state = await one.manager.until(serving("shop/web", 2), within=20.0)
        done = max(task.since for task in of(state, "shop/job"))
        assert all(task.started_at >= done for task in of(state, "shop/web"))


async def test_a_restart_waits_for_nothing_though_what_it_needed_went_down_elsewhere(tmp_path: Path):
    async with legion(tmp_path, "rome-2", engine=slow) as one:
        state = await deployed(one)
        await one.manager.order(protocol.HoldService("shop/db", True))
        await one.manager.until(lambda state: only(state, "shop/db").state == "stopped")
        assert only(await one.manager.state(), "shop/web").serving
        one.homes["rome-2"].engine.exit(only(state, "shop/web").container_id, 1)
        await one.manager.until(
            lambda state: only(state, "shop/web").attempt == 2 and only(state, "shop/web").serving, within=20.0
        )


async def test_after_all_machines_came_up_again_the_order_is_kept(tmp_path: Path):
    async with legion(tmp_path, "rome-2", engine=slow) as one:
        await deployed(one)
        await one.kill(MANAGER, "rome-2")
        for name in (MANAGER, "rome-2"):
            one.homes[name].engine.restart()
        for name in (MANAGER, "rome-2"):
            await one.start(name)
        state = await one.manager.until(
            lambda state: all(task.attempt == 2 and task.serving for task in of(state)), within=120.0
        )
        assert only(state, "shop/db").started_at + 5.0 <= only(state, "shop/web").started_at


async def test_a_machine_without_a_manager_goes_by_what_it_was_told_last(tmp_path: Path):
    async with legion(tmp_path, "rome-2", engine=slow) as one:
        await deployed(one)
        await one.kill(MANAGER, "rome-2")
        home = one.homes["rome-2"]
        home.engine.restart()
        assert home.running() == 0
        worker = await one.start("rome-2")
        await worker.eventually(lambda: home.running() == 1, within=30.0)


async def test_a_machine_without_a_manager_does_not_start_what_waits_for_what_was_down(tmp_path: Path):
    async with legion(tmp_path, "rome-2", engine=slow) as one:
        await deployed(one)
        await one.manager.order(protocol.HoldService("shop/db", True))
        await one.manager.until(lambda state: only(state, "shop/db").state == "stopped")
        await one.kill(MANAGER, "rome-2")
        home = one.homes["rome-2"]
        home.engine.restart()
        await one.start("rome-2")
        await anyio.sleep(60.0)
        assert home.running() == 0
        await one.start(MANAGER)
        await one.manager.until(status("rome-2", "ready"), within=60.0)
        await one.manager.until(says("waits for db to be healthy"), within=20.0)
        await one.manager.order(protocol.HoldService("shop/db", False))
        await one.manager.until(serving("shop/web"), within=60.0)


async def test_what_is_on_a_machine_that_is_lost_opens_no_gate(tmp_path: Path):
    async with legion(tmp_path, "rome-2", "rome-3", engine=slow) as one:
        await one.manager.order(
            protocol.DeployStack(stack(at("rome-3", spec("db", image="db"), "back"), networks=NETWORKS))
        )
        await one.manager.until(serving("shop/db"))
        one.part("rome-3")
        await one.manager.until(status("rome-3", "down"), within=20.0)
        web = spec("web", image="web", depends_on=(Dependency("db"),))
        both = (at("rome-3", spec("db", image="db"), "back"), at("rome-2", web, "front"))
        await one.manager.order(protocol.DeployStack(stack(*both, networks=NETWORKS)))
        await one.manager.until(says("waits for db to start"), within=20.0)
        await anyio.sleep(20.0)
        assert one.homes["rome-2"].running() == 0
        one.join("rome-3")
        await one.manager.until(serving("shop/web"), within=60.0)
