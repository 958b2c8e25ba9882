"""Configs on machines: there before anything stops, fetched once, kept for who has no manager, removed in the end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from actors import protocol
from actors.configs import CONFIGS, ConfigsActor
from actors.machine import Machine
from cluster.configs import ConfigFile, ConfigSpec, digest_of, encoded
from cluster.spec import StackSpec
from engine.fake import FakeEngine, FakeImage
from engine.port import Refused
from supervisor.actor import Actor, Context
from supervisor.spec import ChildSpec, SupervisorSpec
from supervisor.system import System
from tests.actors.house import Files, House, of, serving, time_of_day
from tests.actors.legion import MANAGER, legion
from tests.cluster.build import spec, stack

pytestmark = pytest.mark.anyio

# More than the Senate gives at once, and no two pieces of it alike.
LONG = b"".join(b"line %d\n" % number for number in range(40_000))


def brings(content: bytes = b"salve", *, replicas: int = 1, **file: Any) -> StackSpec:
    """A stack whose service web reads one config."""
    web = spec("web", image="db", replicas=replicas, configs=(ConfigFile("conf", "/etc/web.conf", **file),))
    return stack(web, configs={"conf": ConfigSpec("shop_conf", content=encoded(content))})


def plain() -> FakeEngine:
    engine = FakeEngine(time_of_day)
    engine.images["db"] = FakeImage(local=True)
    return engine


def name(content: bytes, owner: str = "0-0-0444") -> str:
    """What a machine calls the file of this content."""
    return f"{digest_of(content)}-{owner}"


async def test_a_content_is_fetched_once_for_all_and_mounted_in_each(house: House, engine: FakeEngine):
    async with house.life() as life:
        await life.order(protocol.DeployStack(brings(LONG, replicas=3)))
        await life.until(serving("shop/web", 3))
        assert house.files.contents == {name(LONG): LONG}
        assert house.files.written == 1
        containers = await engine.containers({"gbnt.service": "web"})
        path = f"/configs/{name(LONG)}"
        assert [one.mounts for one in containers] == [{"/etc/web.conf": path}] * 3


async def test_another_content_rolls_and_the_file_that_nobody_reads_any_more_goes(house: House):
    async with house.life() as life:
        await life.order(protocol.DeployStack(brings(b"one", uid=3, gid=4, mode=0o640)))
        await life.until(serving("shop/web"))
        assert house.files.contents == {name(b"one", "3-4-0640"): b"one"}
        [first] = of(await life.state())
        await life.order(protocol.DeployStack(brings(b"two")))
        await life.eventually(lambda: house.files.contents == {name(b"two"): b"two"})
        await life.until(lambda state: [task.id for task in of(state) if task.serving] not in ([], [first.id]))


async def test_an_unchanged_content_writes_nothing_and_restarts_nothing(house: House):
    async with house.life() as life:
        await life.order(protocol.DeployStack(brings()))
        before = await life.until(serving("shop/web"))
        answer = await life.order(protocol.DeployStack(brings()))
        after = await life.state()
        assert answer.changes == {"web": "unchanged"}
        assert (after.revision, list(after.tasks)) == (before.revision, list(before.tasks))
        assert house.files.written == 1


async def test_a_file_that_cannot_be_had_stops_nothing_and_is_told_by_the_config_s_name(house: House):
    async with house.life() as life:
        await life.order(protocol.DeployStack(brings(b"one")))
        await life.until(serving("shop/web"))
        house.files.refuses = "there is no room"
        await life.order(protocol.DeployStack(brings(b"two")))
        state = await life.until(lambda state: any(task.problem for task in of(state)))
        [new] = [task for task in of(state) if task.problem]
        assert new.problem == "config conf: there is no room"
        assert serving("shop/web")(state)
        house.files.refuses = ""
        await life.until(lambda state: serving("shop/web")(state) and state.tasks[new.id].serving)
        assert name(b"two") in house.files.contents


async def test_a_file_that_an_engine_cannot_mount_is_told_by_the_config_s_name(house: House, engine: FakeEngine):
    engine.refuse("create", Refused(f"the path /configs/{name(b'salve')} to mount does not exist"), times=1)
    async with house.life() as life:
        await life.order(protocol.DeployStack(brings()))
        state = await life.until(lambda state: any(task.problem for task in of(state)))
        [problem] = [task.problem for task in of(state)]
        assert problem.startswith("config conf, to be read at /etc/web.conf: the path /configs/")
        await life.until(serving("shop/web"))


async def test_a_worker_goes_on_by_what_it_has_while_no_manager_answers(tmp_path: Path):
    async with legion(tmp_path, "rome-2", engine=plain) as one:
        home = one.homes["rome-2"]
        await one.manager.order(protocol.DeployStack(brings(LONG, replicas=2)))
        await one.manager.until(serving("shop/web", 2))
        assert home.files.contents == {name(LONG): LONG}
        await one.kill(MANAGER)
        await one.kill("rome-2")
        home.engine.restart()
        worker = await one.start("rome-2")
        await worker.eventually(lambda: home.running() == 1, within=30.0)
        assert home.files.written == 1


async def test_a_worker_that_lacks_a_file_says_so_and_has_it_once_a_manager_answers(tmp_path: Path):
    async with legion(tmp_path, "rome-2", engine=plain) as one:
        home = one.homes["rome-2"]
        await one.manager.order(protocol.DeployStack(brings(replicas=2)))
        await one.manager.until(serving("shop/web", 2))
        await one.kill(MANAGER)
        home.files.contents.clear()
        home.engine.exit(next(other.id for other in home.containers() if other.running), 1)
        worker = one.members["rome-2"]
        [task] = [info.address.path for info in worker.system.inspect("agent/tasks") if info.kind == "TaskActor"]
        await worker.eventually(lambda: "no manager answers" in str(worker.actor(task).detail["message"]))
        assert home.running() == 0
        await one.start(MANAGER)
        await one.manager.eventually(lambda: home.running() == 1)
        assert home.files.contents == {name(b"salve"): b"salve"}


async def test_a_machine_gets_no_content_that_none_of_its_tasks_reads(tmp_path: Path):
    async with legion(tmp_path, "rome-2", engine=plain) as one:
        await one.manager.order(protocol.DeployStack(brings()))
        state = await one.manager.until(serving("shop/web"))
        [task] = of(state)
        [other] = state.nodes.keys() - {task.node}
        for node, digest in ((other, digest_of(b"salve")), (task.node, digest_of(b"vale"))):
            answer = await one.manager.ask(protocol.GetConfig(node, digest))
            assert answer == protocol.Refused("forbidden", "no task of this machine reads it any more")


async def test_a_machine_that_was_removed_keeps_no_file(tmp_path: Path):
    async with legion(tmp_path, "rome-2", engine=plain) as one:
        home = one.homes["rome-2"]
        await one.manager.order(protocol.DeployStack(brings(replicas=2)))
        await one.manager.until(serving("shop/web", 2))
        home.removed = True
        await one.kill("rome-2")
        worker = await one.start("rome-2")
        await worker.eventually(lambda: home.files.contents == {}, within=60.0)


async def test_files_that_an_earlier_life_left_go_with_the_first_orders(house: House):
    house.files = Files({"left": b"over"})
    async with house.life() as life:
        await life.order(protocol.DeployStack(brings()))
        await life.until(serving("shop/web"))
        assert set(house.files.contents) == {name(b"salve")}
        assert life.actor(CONFIGS).detail["problem"] == ""


class Scribe(Actor):
    """A Senate that sends one content whatever it is asked for, once it may."""

    def __init__(self, content: bytes, may: anyio.Event) -> None:
        self.text, self.may = encoded(content), may

    async def receive(self, message: object, ctx: Context) -> None:
        if isinstance(message, protocol.GetConfig):
            await self.may.wait()
            assert ctx.reply_to is not None
            ctx.reply_to.send(protocol.ConfigPiece(self.text, len(self.text)))


FILE = ConfigFile("conf", "/etc/web.conf", digest=digest_of(b"salve"))


@asynccontextmanager
async def archive(files: Files, content: bytes, may: anyio.Event) -> AsyncIterator[System]:
    """The actor of a machine that needs FILE, with nobody but a Senate that sends this content."""
    machine = Machine("n1", "rome-1", "127.0.0.1", "legion", "boot")
    configs = ChildSpec("configs", partial(ConfigsActor, machine, files))
    system = System("rome-1")
    async with anyio.create_task_group() as group:
        children = (ChildSpec("senate", partial(Scribe, content, may)), configs)
        await group.start(partial(system.run, SupervisorSpec(children=children)))
        system.ref("configs").tell(protocol.KeepConfigs(frozenset({FILE.file_name})))
        yield system
        system.stop()


async def want(system: System) -> object:
    return await system.ref("configs").ask(protocol.WantConfig(FILE), timeout=30.0)


async def test_another_content_than_the_one_deployed_is_never_read():
    files, may = Files(), anyio.Event()
    may.set()
    async with archive(files, b"vale", may) as system:
        answer = await want(system)
    assert answer == protocol.Failed(
        "config conf: what the manager sent of it is not what was deployed: deploy it again"
    )
    assert files.contents == {}


async def test_a_file_that_nobody_needs_any_more_when_it_comes_is_not_written():
    files, may, answers = Files(), anyio.Event(), list[object]()
    async with archive(files, b"salve", may) as system, anyio.create_task_group() as group:

        async def ask() -> None:
            answers.append(await want(system))

        group.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        system.ref("configs").tell(protocol.KeepConfigs(frozenset()))
        await anyio.wait_all_tasks_blocked()
        may.set()
    assert answers == [protocol.Failed("config conf: no task here is to start with it any more")]
    assert files.contents == {}


async def test_whatever_an_engine_refuses_of_a_file_is_an_answer_and_no_crash():
    class Walled(Files):
        async def find(self, file: ConfigFile) -> str:
            raise Refused("the Docker Engine refused container abc: no such thing")

    async with archive(Walled(), b"salve", anyio.Event()) as system:
        answer = await want(system)
        assert answer == protocol.Failed("config conf: the Docker Engine refused container abc: no such thing")
        assert system.inspect("configs")[0].restarts == 0
