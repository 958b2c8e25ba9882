"""A machine that is lost is known to be, its tasks go on elsewhere, and once it is back nothing runs twice."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from actors import protocol
from cluster.model import State
from cluster.presence import alarm
from cluster.progress import Converged, obstacle, verdict
from cluster.spec import Mount, Placement, VolumeSpec
from tests.actors.house import of, serving
from tests.actors.legion import MANAGER, legion
from tests.actors.test_actors_legion import plain, running, web
from tests.cluster.build import spec, stack

pytestmark = pytest.mark.anyio


def status(node: str, wanted: str) -> Callable[[State], bool]:
    return lambda state: state.nodes[node].status == wanted


def standing(state: State) -> list[tuple[str, str, str]]:
    return [(task.node, task.desired, task.standing) for task in of(state)]


async def test_tasks_of_a_machine_that_is_cut_off_go_on_elsewhere_and_stop_there_once_it_is_back(tmp_path: Path):
    async with legion(tmp_path, "rome-2", "rome-3", engine=plain) as one:
        await one.manager.order(protocol.DeployStack(stack(web(3))))
        await one.manager.until(serving("shop/web", 3))
        one.part("rome-3")
        state = await one.manager.until(status("rome-3", "down"), within=6.0)
        assert "nothing was heard of rome-3 for 5 s" in state.nodes["rome-3"].message
        state = await one.manager.until(serving("shop/web", 3), within=2.0)
        assert ("rome-3", "remove", "lost") in standing(state)
        assert running(one)[2] == 1
        one.join("rome-3")
        state = await one.manager.until(status("rome-3", "ready"), within=20.0)
        assert "lost" not in {task.state for task in of(state)}
        assert sum(running(one)) == 3
        events = await one.manager.events()
        assert not [event for event in events if event.startswith("task.illegal")]
        assert any(event.startswith("node.returning rome-3: stops what runs elsewhere since") for event in events)


async def test_a_task_that_found_no_other_machine_simply_goes_on(tmp_path: Path):
    async with legion(tmp_path, "rome-2", engine=plain) as one:
        await one.manager.order(protocol.DeployStack(stack(web(1), name="other")))
        await one.manager.until(serving("other/web"))
        mounts = (Mount("volume", "/data", "data"),)
        file = stack(spec("web", image="web", mounts=mounts), volumes={"data": VolumeSpec("shop_data")})
        await one.manager.order(protocol.DeployStack(file))
        [task] = of(await one.manager.until(serving("shop/web")), "shop/web")
        assert task.node == "rome-2"
        await one.manager.until(lambda state: "shop_data" in state.nodes["rome-2"].volumes)
        one.part("rome-2")
        state = await one.manager.until(lambda state: len(of(state, "shop/web")) == 2, within=10.0)
        pending = next(other for other in of(state, "shop/web") if other.id != task.id)
        assert "which holds the data of volume shop_data" in pending.message
        assert not serving("shop/web")(state)
        one.join("rome-2")
        state = await one.manager.until(serving("shop/web"), within=20.0)
        state = await one.manager.until(lambda state: len(of(state, "shop/web")) == 1, within=2.0)
        assert [(one.id, one.attempt) for one in of(state, "shop/web")] == [(task.id, 1)]


async def test_data_on_a_machine_that_is_down_is_given_up_by_force_alone_though_its_service_stands_still(
    tmp_path: Path,
):
    async with legion(tmp_path, "rome-2", engine=plain) as one:
        there = Placement(("node.hostname == rome-2",))
        db = spec("db", image="web", mounts=(Mount("volume", "/data", "data"),), placement=there)
        await one.manager.order(protocol.DeployStack(stack(db, volumes={"data": VolumeSpec("shop_data")})))
        await one.manager.until(serving("shop/db"))
        await one.manager.until(lambda state: "shop_data" in state.nodes["rome-2"].volumes)
        await one.manager.order(protocol.HoldStack("shop", stopped=True))
        await one.manager.until(lambda state: all(task.ended for task in of(state, "shop/db")))
        one.part("rome-2")
        await one.manager.until(status("rome-2", "down"), within=10.0)
        refused = await one.manager.ask(protocol.RemoveNode("rome-2"))
        assert isinstance(refused, protocol.Refused)
        assert "has the data of volume shop_data (shop/db)" in refused.message
        assert "rome-2" in (await one.manager.state()).nodes
        done = await one.manager.ask(protocol.RemoveNode("rome-2", force=True))
        assert isinstance(done, protocol.Accepted)
        words = "gives up volume shop_data of shop/db: it begins empty elsewhere"
        assert done.changes == {"rome-2": f"removed; {words}"}
        assert f"node.removed rome-2: removed; {words}" in await one.manager.events()


async def test_tasks_of_a_machine_whose_engine_dies_for_good_go_on_elsewhere(tmp_path: Path):
    async with legion(tmp_path, "rome-2", "rome-3", engine=plain) as one:
        await one.manager.order(protocol.DeployStack(stack(web(3))))
        state = await one.manager.until(serving("shop/web", 3))
        before = {task.id for task in of(state)}
        one.homes["rome-2"].engine.crash()
        state = await one.manager.until(status("rome-2", "unavailable"), within=2.0)
        assert ("rome-2", "run", "unknown") in standing(state)
        await anyio.sleep(50.0)
        assert {task.id for task in of(await one.manager.state())} == before
        state = await one.manager.until(serving("shop/web", 3), within=20.0)
        assert {task.node for task in of(state) if task.serving} == {MANAGER, "rome-3"}
        await anyio.sleep(60.0)
        assert (await one.manager.state()).nodes["rome-2"].status == "unavailable"
        one.homes["rome-2"].engine.restart()
        await one.manager.until(status("rome-2", "ready"), within=60.0)
        assert serving("shop/web", 3)(await one.manager.state())
        assert sum(running(one)) == 3


async def test_a_planned_stop_is_waited_for(tmp_path: Path):
    async with legion(tmp_path, "rome-2", engine=plain) as one:
        await one.manager.order(protocol.DeployStack(stack(web(2))))
        await one.manager.until(serving("shop/web", 2))
        await one.stop("rome-2")
        state = await one.manager.until(status("rome-2", "down"), within=1.0)
        assert state.nodes["rome-2"].message == "stopped by plan; its tasks are replaced in 60 s"
        await anyio.sleep(50.0)
        state = await one.manager.state()
        assert ("rome-2", "run", "unknown") in standing(state)
        before = {task.id for task in of(state)}
        await one.start("rome-2")
        state = await one.manager.until(serving("shop/web", 2), within=5.0)
        assert {task.id for task in of(state)} == before
        await one.stop("rome-2")
        await anyio.sleep(65.0)
        state = await one.manager.until(serving("shop/web", 2), within=5.0)
        assert {task.node for task in of(state) if task.serving} == {MANAGER}


async def test_machines_get_a_grace_after_a_manager_begins(tmp_path: Path):
    async with legion(tmp_path, "rome-2", "rome-3", engine=plain) as one:
        await one.manager.order(protocol.DeployStack(stack(web(3))))
        await one.manager.until(serving("shop/web", 3))
        await one.kill(MANAGER)
        await one.kill("rome-3")
        await one.start(MANAGER)
        await anyio.sleep(25.0)
        assert (await one.manager.state()).nodes["rome-3"].status == "ready"
        state = await one.manager.until(status("rome-3", "down"), within=10.0)
        assert state.nodes["rome-3"].message == "was not heard of since the manager began"
        await one.manager.until(serving("shop/web", 3), within=5.0)


async def test_where_most_machines_are_lost_at_once_nothing_is_replaced(tmp_path: Path):
    async with legion(tmp_path, "rome-2", "rome-3", engine=plain) as one:
        await one.manager.order(protocol.DeployStack(stack(web(6))))
        state = await one.manager.until(serving("shop/web", 6))
        before = {task.id for task in of(state)}
        one.part("rome-2")
        await anyio.sleep(0.7)
        one.part("rome-3")
        await anyio.sleep(120.0)
        state = await one.manager.state()
        assert {task.id for task in of(state)} == before
        assert "no tasks are replaced: 2 of 3 machines were lost at once" in state.nodes["rome-3"].message
        assert sum(task.standing == "unknown" for task in of(state)) == 4
        assert any(event.startswith("legion.paused") for event in await one.manager.events())
        one.join("rome-2")
        state = await one.manager.until(serving("shop/web", 6), within=60.0)
        assert {task.node for task in of(state) if task.serving} == {MANAGER, "rome-2"}


async def test_a_pause_goes_on_though_the_manager_is_killed_meanwhile(tmp_path: Path):
    async with legion(tmp_path, "rome-2", "rome-3", engine=plain) as one:
        await one.manager.order(protocol.DeployStack(stack(web(6))))
        state = await one.manager.until(serving("shop/web", 6))
        before = {task.id for task in of(state)}
        one.part("rome-2")
        one.part("rome-3")
        state = await one.manager.until(lambda state: bool(alarm(state.settings)), within=10.0)
        await one.kill(MANAGER)
        await one.start(MANAGER)
        await anyio.sleep(120.0)
        later = await one.manager.state()
        assert alarm(later.settings) == alarm(state.settings)
        assert {task.id for task in of(later)} == before
        one.join("rome-2")
        one.join("rome-3")
        state = await one.manager.until(serving("shop/web", 6), within=60.0)
        assert {task.id for task in of(state)} == before
        await one.manager.until(lambda state: not alarm(state.settings), within=60.0)


async def test_the_hold_of_a_planned_stop_goes_on_though_the_manager_is_killed_meanwhile(tmp_path: Path):
    async with legion(tmp_path, "rome-2", "rome-3", engine=plain) as one:
        await one.manager.order(protocol.DeployStack(stack(web(3))))
        await one.manager.until(serving("shop/web", 3))
        await one.stop("rome-2")
        await one.manager.until(status("rome-2", "down"), within=1.0)
        await one.kill(MANAGER)
        await one.start(MANAGER)
        await anyio.sleep(50.0)
        assert not (await one.manager.state()).nodes["rome-2"].replaced
        state = await one.manager.until(lambda state: state.nodes["rome-2"].replaced, within=15.0)
        assert state.nodes["rome-2"].message == "stopped by plan"


async def test_a_person_who_confirms_the_loss_has_everything_replaced(tmp_path: Path):
    async with legion(tmp_path, "rome-2", "rome-3", engine=plain) as one:
        await one.manager.order(protocol.DeployStack(stack(web(6))))
        await one.manager.until(serving("shop/web", 6))
        one.part("rome-2")
        one.part("rome-3")
        state = await one.manager.until(lambda state: bool(alarm(state.settings)), within=10.0)
        assert "`gbnt legion confirm-loss`" in alarm(state.settings)
        await one.manager.order(protocol.ConfirmLoss())
        state = await one.manager.until(serving("shop/web", 6), within=10.0)
        assert {task.node for task in of(state) if task.serving} == {MANAGER}
        assert alarm(state.settings) == ""
        one.join("rome-2")
        one.join("rome-3")
        await one.manager.until(lambda state: {node.status for node in state.nodes.values()} == {"ready"}, within=60.0)
        one.part("rome-2")
        one.part("rome-3")
        await one.manager.until(lambda state: bool(alarm(state.settings)), within=10.0)


async def test_a_task_that_waited_out_the_pause_gets_its_machine_once_the_loss_is_confirmed(tmp_path: Path):
    async with legion(tmp_path, "rome-2", "rome-3", engine=plain) as one:
        for name in (MANAGER, "rome-3"):
            await one.manager.order(protocol.UpdateNode(name, "pause"))
        await one.manager.order(protocol.DeployStack(stack(web(1))))
        await one.manager.until(serving("shop/web"))
        one.part("rome-2")
        await one.manager.until(lambda state: any(task.state == "pending" for task in of(state)), within=10.0)
        await one.manager.order(protocol.UpdateLegion(30))
        one.part("rome-3")
        await one.manager.until(lambda state: bool(alarm(state.settings)), within=10.0)
        await one.manager.order(protocol.UpdateNode(MANAGER, "active"))
        await one.manager.until(lambda state: alarm(state.settings) in {task.message for task in of(state)}, within=5.0)
        assert not serving("shop/web")(await one.manager.state())
        await one.manager.order(protocol.ConfirmLoss())
        await one.manager.until(serving("shop/web"), within=5.0)


async def test_where_people_let_more_be_lost_they_are_replaced_at_once(tmp_path: Path):
    async with legion(tmp_path, "rome-2", "rome-3", engine=plain) as one:
        await one.manager.order(protocol.DeployStack(stack(web(3))))
        await one.manager.until(serving("shop/web", 3))
        await one.manager.order(protocol.UpdateLegion(67))
        one.part("rome-2")
        one.part("rome-3")
        await one.manager.until(lambda state: state.nodes["rome-3"].replaced, within=10.0)
        state = await one.manager.until(serving("shop/web", 3), within=10.0)
        assert alarm(state.settings) == ""


async def test_a_promotion_gives_a_task_that_waits_its_machine(tmp_path: Path):
    async with legion(tmp_path, "rome-2", engine=plain) as one:
        constraints = ("node.role == manager", f"node.hostname != {MANAGER}")
        only = replace(web(1), placement=Placement(constraints))
        await one.manager.order(protocol.DeployStack(stack(only), ahead=True))
        await one.manager.until(lambda state: any("is not node.role manager" in task.message for task in of(state)))
        await one.manager.order(protocol.UpdateNode("rome-2", role="manager"))
        [task] = of(await one.manager.until(serving("shop/web"), within=1.0))
        assert task.node == "rome-2"
        await one.kill("rome-2")
        await one.start("rome-2")
        state = await one.manager.until(serving("shop/web"), within=30.0)
        assert state.nodes["rome-2"].role == "manager"
        refused = await one.manager.ask(protocol.UpdateNode(MANAGER, role="worker"))
        assert isinstance(refused, protocol.Refused)
        assert "is the manager that serves" in refused.message


async def test_a_stack_with_a_task_on_a_machine_that_is_down_is_gone_once_that_is_removed(tmp_path: Path):
    async with legion(tmp_path, "rome-2", engine=plain) as one:
        await one.manager.order(protocol.DeployStack(stack(web(2))))
        await one.manager.until(serving("shop/web", 2))
        one.part("rome-2")
        await one.manager.until(status("rome-2", "down"), within=10.0)
        await one.manager.order(protocol.RemoveStack("shop"))
        state = await one.manager.until(lambda state: len(of(state)) == 1, within=30.0)
        assert "on rome-2, which is down: gone when that is back" in obstacle(state, "shop")
        refused = await one.manager.ask(protocol.DeployStack(stack(web(2))))
        assert isinstance(refused, protocol.Refused)
        assert "`gbnt node rm rome-2 --force`" in refused.message
        await one.manager.order(protocol.RemoveNode("rome-2", force=True))
        await one.manager.until(lambda state: "shop" not in state.stacks, within=10.0)


async def test_a_machine_that_flaps_causes_no_churn(tmp_path: Path):
    async with legion(tmp_path, "rome-2", engine=plain) as one:
        await one.manager.order(protocol.DeployStack(stack(web(4))))
        state = await one.manager.until(serving("shop/web", 4))
        before = {task.id for task in of(state)}
        for _ in range(10):
            one.part("rome-2")
            await anyio.sleep(2.0)
            one.join("rome-2")
            await anyio.sleep(2.0)
        state = await one.manager.until(serving("shop/web", 4))
        assert {task.id for task in of(state)} == before
        assert all(task.attempt == 1 for task in of(state))


async def test_a_machine_that_is_drained_loses_its_tasks_one_by_one_and_the_service_none(tmp_path: Path):
    async with legion(tmp_path, "rome-2", engine=plain) as one:
        await one.manager.order(protocol.DeployStack(stack(web(4))))
        await one.manager.until(serving("shop/web", 4))
        least = 4

        async def watch() -> None:
            nonlocal least
            while True:
                least = min(least, sum(task.serving for task in of(await one.manager.state())))
                await anyio.sleep(0.05)

        async with anyio.create_task_group() as group:
            group.start_soon(watch)
            await one.manager.order(protocol.UpdateNode("rome-2", "drain"))
            await one.manager.eventually(lambda: running(one) == [4, 0], within=60.0)
            group.cancel_scope.cancel()
        assert least == 4
        await one.stop("rome-2")
        await one.manager.until(status("rome-2", "down"))
        await one.manager.order(protocol.RemoveNode("rome-2"))
        state = await one.manager.state()
        assert list(state.nodes) == [MANAGER]
        assert serving("shop/web", 4)(state)


async def test_a_machine_that_was_removed_is_no_node_when_it_comes_back(tmp_path: Path):
    async with legion(tmp_path, "rome-2", engine=plain) as one:
        await one.manager.order(protocol.DeployStack(stack(web(2))))
        await one.manager.until(serving("shop/web", 2))
        one.part("rome-2")
        await one.manager.order(protocol.RemoveNode("rome-2", force=True))
        await one.manager.until(serving("shop/web", 2), within=10.0)
        await anyio.sleep(10.0)
        assert running(one) == [2, 1]
        one.join("rome-2")
        await anyio.sleep(30.0)
        state = await one.manager.state()
        assert list(state.nodes) == ["rome-1"]
        assert serving("shop/web", 2)(state)


async def test_a_task_whose_data_cannot_move_stays_and_its_heir_says_why(tmp_path: Path):
    async with legion(tmp_path, "rome-2", engine=plain) as one:
        file = stack(
            spec("web", image="web", mounts=(Mount("volume", "/data", "data"),)),
            volumes={"data": VolumeSpec("shop_data")},
        )
        await one.manager.order(protocol.DeployStack(file))
        [task] = of(await one.manager.until(serving("shop/web")))
        await one.manager.until(lambda state: "shop_data" in state.nodes[task.node].volumes)
        await one.manager.order(protocol.UpdateNode(task.node, "drain"))
        state = await one.manager.until(lambda state: len(of(state)) == 2, within=5.0)
        assert "which holds the data of volume shop_data" in of(state)[1].message
        await anyio.sleep(30.0)
        assert serving("shop/web")(await one.manager.state())
        await one.manager.order(protocol.DeployStack(file))
        assert isinstance(verdict(await one.manager.state(), "shop"), Converged)
        await one.manager.order(protocol.UpdateNode(task.node, "active"))
        state = await one.manager.until(lambda state: len(of(state)) == 1, within=5.0)
        assert [other.id for other in of(state)] == [task.id]


async def test_a_clock_that_is_set_back_grants_nobody_another_grace(tmp_path: Path):
    async with legion(tmp_path, "rome-2", "rome-3", engine=plain) as one:
        await one.kill("rome-3")
        await one.kill(MANAGER)
        await one.start(MANAGER)
        one.homes[MANAGER].engine.set_clock(-3600.0)
        state = await one.manager.until(status("rome-3", "down"), within=40.0)
        assert state.nodes["rome-3"].replaced
