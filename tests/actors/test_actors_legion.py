"""Several machines: a worker's agent serves the manager of another node, through cuts and restarts of either."""

from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from actors import protocol
from actors.keepsake import NOTHING
from actors.tree import EXECUTOR
from cluster.autonomy import LABEL
from cluster.registries import Credential
from cluster.spec import Placement, ServiceSpec
from cluster.zones import Zones
from engine.fake import FakeEngine, FakeImage
from supervisor.address import Address
from tests.actors.house import GlassVault, by, of, serving, time_of_day
from tests.actors.legion import MANAGER, Legion, legion
from tests.cluster.build import spec, stack

pytestmark = pytest.mark.anyio


def plain() -> FakeEngine:
    engine = FakeEngine(time_of_day)
    engine.images["web"] = FakeImage(local=True)
    return engine


def web(replicas: int) -> ServiceSpec:
    return spec("web", image="web", replicas=replicas)


def running(legion: Legion) -> list[int]:
    """How many containers run on each machine."""
    return [home.running() for home in legion.homes.values()]


async def test_replicas_spread_over_the_machines(tmp_path: Path):
    async with legion(tmp_path, "rome-2", "rome-3", engine=plain) as one:
        state = await one.manager.state()
        assert [node.role for node in state.nodes.values()] == ["manager", "worker", "worker"]
        await one.manager.order(protocol.DeployStack(stack(web(6))))
        await one.manager.until(serving("shop/web", 6))
        assert running(one) == [2, 2, 2]


async def test_what_a_machine_does_is_logged_under_the_request_that_ordered_it(tmp_path: Path, caplog):
    caplog.set_level("INFO", "actors.steps")
    async with legion(tmp_path, "rome-2", engine=plain) as one:
        await one.manager.order(by("r1", protocol.DeployStack(stack(web(2)))))
        state = await one.manager.until(serving("shop/web", 2))
        assert {(task.node, task.request) for task in of(state)} == {(MANAGER, "r1"), ("rome-2", "r1")}
        await one.manager.order(by("r2", protocol.ScaleService("shop/web", 1)))
        state = await one.manager.until(lambda state: len(of(state)) == 1)
        events = await one.manager.ask(protocol.GetEvents(0, 100))
        assert isinstance(events, protocol.Events)
    told = {(record.getMessage(), vars(record)["facts"]["request"]) for record in caplog.records}
    assert {("start of shop-web-1", "r1"), ("start of shop-web-2", "r1"), ("remove of shop-web-2", "r2")} <= told
    by_request = {request: {e.kind for e in events.events if e.request == request} for request in ("r1", "r2", "")}
    assert {"stack.deployed", "task.created", "task.running"} <= by_request["r1"]
    assert {"service.scaled", "task.stopping", "task.removed"} <= by_request["r2"]
    assert {"node.joined"} <= by_request[""]


async def test_a_manager_that_is_killed_and_back_hears_what_happened_meanwhile(tmp_path: Path):
    async with legion(tmp_path, "rome-2", engine=plain) as one:
        await one.manager.order(protocol.DeployStack(stack(web(2))))
        await one.manager.until(serving("shop/web", 2))
        before = {task.id for task in of(await one.manager.state())}
        await one.kill(MANAGER)
        home = one.homes["rome-2"]
        home.engine.exit(home.containers()[0].id, 3)
        await anyio.sleep(30.0)
        await one.start(MANAGER)
        state = await one.manager.until(
            lambda state: any(task.attempt == 2 and task.serving for task in of(state)), within=20.0
        )
        assert {task.id for task in of(state)} == before
        assert running(one) == [1, 1]


async def test_a_worker_that_is_killed_and_back_adopts_its_containers(tmp_path: Path):
    async with legion(tmp_path, "rome-2", engine=plain) as one:
        await one.manager.order(protocol.DeployStack(stack(web(2))))
        await one.manager.until(serving("shop/web", 2))
        made = {container.id for container in one.homes["rome-2"].containers()}
        await one.kill("rome-2")
        await one.start("rome-2")
        await one.manager.order(protocol.ScaleService("shop/web", 4))
        await one.manager.until(serving("shop/web", 4))
        assert made < {container.id for container in one.homes["rome-2"].containers()}


async def test_an_order_given_during_a_cut_arrives_after_it(tmp_path: Path):
    async with legion(tmp_path, "rome-2", engine=plain) as one:
        await one.manager.order(protocol.DeployStack(stack(web(2))))
        await one.manager.until(serving("shop/web", 2))
        one.part("rome-2")
        await anyio.sleep(2.0)
        await one.manager.order(protocol.HoldService("shop/web", True))
        await anyio.sleep(60.0)
        one.join("rome-2")
        await one.manager.eventually(lambda: running(one) == [0, 0])


async def test_every_resolver_knows_the_names_of_all_machines(tmp_path: Path):
    async with legion(tmp_path, "rome-2", "rome-3", engine=plain) as one:

        def known(name: str) -> int:
            zone = one.homes[name].names.zones.networks.get("shop_default")
            return len(zone.names.get("web", ())) if zone else 0

        await one.manager.order(protocol.DeployStack(stack(web(3))))
        await one.manager.eventually(lambda: [known(name) for name in one.homes] == [3, 3, 3], within=10.0)
        clients = [tuple(home.names.zones.clients) for home in one.homes.values()]
        assert len(set(clients)) == 3
        one.part("rome-3")
        await anyio.sleep(1.0)
        await one.manager.order(protocol.ScaleService("shop/web", 1))
        await one.manager.eventually(lambda: known("rome-2") == 1, within=10.0)
        await anyio.sleep(20.0)
        assert known("rome-3") > 1
        one.join("rome-3")
        await one.manager.eventually(lambda: known("rome-3") == 1, within=20.0)


async def test_a_resolver_that_begins_anew_is_told_the_names_again(tmp_path: Path):
    async with legion(tmp_path, "rome-2", engine=plain) as one:
        await one.manager.order(protocol.DeployStack(stack(web(2))))
        names = one.homes["rome-2"].names
        await one.manager.until(serving("shop/web", 2))
        await one.manager.eventually(lambda: names.zones.networks, within=10.0)
        await one.kill("rome-2")
        names.zones = Zones()
        await one.start("rome-2")
        await one.manager.eventually(lambda: names.zones.networks, within=10.0)


async def test_a_machine_that_begins_without_a_manager_goes_by_the_orders_it_kept(tmp_path: Path):
    async with legion(tmp_path, "rome-2", engine=plain) as one:
        await one.manager.order(protocol.DeployStack(stack(web(2))))
        state = await one.manager.until(serving("shop/web", 2))
        before = {task.id for task in of(state)}
        await one.kill(MANAGER)
        await one.kill("rome-2")
        home = one.homes["rome-2"]
        home.engine.restart()
        assert home.running() == 0
        worker = await one.start("rome-2")
        await worker.eventually(lambda: home.running() == 1, within=20.0)
        home.engine.exit(next(other.id for other in home.containers() if other.running), 1)
        await worker.eventually(lambda: home.running() == 1, within=20.0)
        await one.start(MANAGER)
        state = await one.manager.until(lambda state: any(task.attempt == 3 and task.serving for task in of(state)))
        assert {task.id for task in of(state)} == before


async def test_a_service_that_is_not_to_run_alone_is_stopped_and_goes_on_once_the_manager_is_back(tmp_path: Path):
    stops = spec("web", image="web", replicas=2, deploy_labels={LABEL: "stop"})
    async with legion(tmp_path, "rome-2", engine=plain) as one:
        await one.manager.order(protocol.DeployStack(stack(stops)))
        await one.manager.until(serving("shop/web", 2))
        await one.kill(MANAGER)
        home = one.homes["rome-2"]
        await anyio.sleep(30.0)
        assert home.running() == 0
        await one.start(MANAGER)
        await one.manager.until(serving("shop/web", 2), within=60.0)
        await one.manager.eventually(lambda: running(one) == [1, 1], within=20.0)


async def test_a_planned_stop_of_the_manager_stops_nothing_for_a_minute(tmp_path: Path):
    stops = spec("web", image="web", replicas=2, deploy_labels={LABEL: "stop"})
    async with legion(tmp_path, "rome-2", engine=plain) as one:
        await one.manager.order(protocol.DeployStack(stack(stops)))
        await one.manager.until(serving("shop/web", 2))
        before = {container.id for container in one.homes["rome-2"].containers()}
        await one.stop(MANAGER)
        await anyio.sleep(50.0)
        assert one.homes["rome-2"].running() == 1
        await one.start(MANAGER)
        await one.manager.until(serving("shop/web", 2), within=60.0)
        assert {container.id for container in one.homes["rome-2"].containers()} == before


@pytest.mark.parametrize("engine", ["there", "away"])
async def test_a_machine_that_was_removed_puts_all_away_once_its_engine_lets_it(tmp_path: Path, engine: str):
    async with legion(tmp_path, "rome-2", engine=plain) as one:
        await one.manager.order(protocol.DeployStack(stack(web(4))))
        await one.manager.until(serving("shop/web", 4))
        home = one.homes["rome-2"]
        assert home.running() == 2
        await one.dismiss("rome-2")
        home.removed = True
        if engine == "away":
            home.engine.hang()
        one.members["rome-2"].system.ref(EXECUTOR).tell(protocol.Dismissed())
        await anyio.sleep(10.0)
        home.engine.wake()
        await one.manager.eventually(lambda: home.containers() == [], within=120.0)
        await one.kill("rome-2")
        await one.start("rome-2")
        await anyio.sleep(20.0)
        assert home.containers() == []


async def test_orders_of_a_manager_from_before_a_restore_are_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    async with legion(tmp_path, "rome-2", engine=plain) as one:
        await one.manager.order(protocol.DeployStack(stack(web(2))))
        await one.manager.until(serving("shop/web", 2))
        one.members["rome-2"].system.ref(EXECUTOR).tell(replace(NOTHING, epoch=0))
        await anyio.sleep(10.0)
        assert running(one) == [1, 1]
        assert "orders of epoch 0 are refused" in caplog.text


async def test_orders_that_come_late_end_what_a_machine_does_on_its_own(tmp_path: Path):
    holds = spec("web", image="web", replicas=2, deploy_labels={LABEL: "stop"})
    async with legion(tmp_path, "rome-2", engine=plain) as one:
        await one.manager.order(protocol.DeployStack(stack(holds)))
        await one.manager.until(serving("shop/web", 2))
        agent = one.members["rome-2"].system.ref(EXECUTOR)
        agent.tell(protocol.PeerLost("rome-1", "silence"))
        await one.manager.eventually(lambda: running(one) == [1, 0], within=20.0)
        agent.tell(protocol.Introduce())  # full orders are asked for, and no link says that it is up again
        await one.manager.eventually(lambda: running(one) == [1, 1], within=20.0)


async def test_another_machine_gets_no_orders_that_are_not_its_own(tmp_path: Path):
    async with legion(tmp_path, "rome-2", "rome-3", engine=plain) as one:
        thief = one.members["rome-3"].system
        told = protocol.RegisterAgent("rome-3", "rome-3/agent/executor", "b9")
        thief.ref(Address.parse("rome-1/control/nodes/rome-2")).tell(told)
        await one.manager.order(protocol.DeployStack(stack(web(3))))
        await one.manager.until(serving("shop/web", 3))
        assert running(one) == [1, 1, 1]


async def test_a_replacement_pulls_by_the_sign_in_that_the_manager_keeps_and_no_machine_keeps_it(tmp_path: Path):
    nero = Credential("nero", "qualis-artifex")

    def private() -> FakeEngine:
        engine = FakeEngine(time_of_day)
        engine.images["hub.example/web"] = FakeImage()
        engine.registry.accounts["hub.example"] = nero
        return engine

    async with legion(tmp_path, "rome-2", "rome-3", engine=private) as one:
        sealed = GlassVault().seal("hub.example", "shop", nero)
        away = Placement(constraints=("node.hostname != rome-1",))
        file = stack(spec("web", image="hub.example/web", placement=away))
        await one.manager.order(protocol.DeployStack(file, (protocol.Brought("hub.example", "nero", sealed),)))
        state = await one.manager.until(serving("shop/web"))
        [first] = {task.node for task in of(state)}
        [other] = {"rome-2", "rome-3"} - {first}
        assert one.homes[other].engine.calls["pull"] == 0
        await one.kill(first)
        await one.manager.until(lambda state: any(task.node == other and task.serving for task in of(state)))
        for home in one.homes.values():
            kept = await home.drawer.load()
            assert "qualis" not in repr(kept)


async def test_who_is_cut_off_pulls_what_needs_no_sign_in_and_says_what_it_lacks_otherwise(tmp_path: Path):
    def private() -> FakeEngine:
        engine = plain()
        engine.images["hub.example/web"] = FakeImage()
        engine.registry.accounts["hub.example"] = Credential("nero", "qualis-artifex")
        return engine

    async with legion(tmp_path, "rome-2", engine=private) as one:
        one.part("rome-2")
        await anyio.sleep(10.0)
        images = one.members["rome-2"].system.ref("agent/images")
        here = await images.ask(protocol.WantImage("web", "always", "t1", "shop"), timeout=30.0)
        assert isinstance(here, protocol.ImageHere)
        failed = await images.ask(protocol.WantImage("hub.example/web", "always", "t2", "shop"), timeout=30.0)
        assert isinstance(failed, protocol.Failed)
        assert "it may need a sign-in, and the manager, which keeps sign-ins, does not answer" in failed.reason
