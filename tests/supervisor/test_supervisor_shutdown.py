"""How a tree ends: in order, with patience, and whatever happens meanwhile."""

import anyio
import pytest

from supervisor.actor import Context
from supervisor.spec import ChildSpec, SupervisorSpec
from supervisor.system import System
from tests.supervisor.build import Crash, Scribe, Sleep, handler, running, scribe, settle

pytestmark = pytest.mark.anyio


async def test_children_stop_from_right_to_left_through_all_levels():
    journal: list[str] = []
    inner = SupervisorSpec(children=(scribe("b", journal), scribe("c", journal)))
    async with running(scribe("a", journal), ChildSpec("inner", inner), scribe("d", journal)):
        pass
    assert journal == ["+a", "+b", "+c", "+d", "-d", "-c", "-b", "-a"]


async def test_a_cancelled_system_stops_in_order_too():
    journal: list[str] = []
    system = System("rome-1")
    spec = SupervisorSpec(children=(scribe("a", journal), scribe("b", journal)))
    async with anyio.create_task_group() as group:
        await group.start(system.run, spec)
        system.ref("b").tell(Sleep(3))
        await settle()
        group.cancel_scope.cancel()
    assert journal == ["+a", "+b", "-b", "-a"]


async def test_only_the_stubborn_one_is_killed_after_its_time():
    journal: list[str] = []
    async with running(scribe("a", journal), scribe("b", journal, shutdown=2.0), scribe("c", journal)) as system:
        system.ref("b").tell(Sleep(60))
        await settle()
        begin = anyio.current_time()
    assert journal == ["+a", "+b", "+c", "-c", "-a"]
    assert anyio.current_time() - begin == pytest.approx(2, abs=0.1)


async def test_shutdown_none_waits_and_zero_does_not():
    journal: list[str] = []
    async with running(scribe("a", journal, shutdown=None), scribe("b", journal, shutdown=0)) as system:
        system.ref("a").tell(Sleep(100))
        system.ref("b").tell(Sleep(100))
        await settle()
        begin = anyio.current_time()
    assert journal == ["+a", "+b", "-a"]
    assert anyio.current_time() - begin == pytest.approx(100, abs=0.1)


async def test_a_killed_supervisor_takes_its_children_along():
    journal: list[str] = []
    inner = SupervisorSpec(children=(scribe("b", journal), scribe("c", journal)))
    async with running(scribe("a", journal), ChildSpec("inner", inner, shutdown=0)) as system:
        system.ref("inner/c").tell(Sleep(100))
        await settle()
        begin = anyio.current_time()
    assert journal == ["+a", "+b", "+c", "-a"]
    assert anyio.current_time() == pytest.approx(begin, abs=0.1)


async def test_a_stop_interrupts_a_start_that_hangs():
    async def started(ctx: Context) -> None:
        await anyio.sleep_forever()

    async def receive(message: object, ctx: Context) -> None:
        pass

    journal: list[str] = []
    system = System("rome-1")
    inner = SupervisorSpec(children=(handler("hangs", receive, started),))
    async with anyio.create_task_group() as group:
        group.start_soon(system.run, SupervisorSpec(children=(scribe("a", journal), ChildSpec("inner", inner))))
        await settle()
        assert system.inspect("inner/hangs")[0].state == "starting"
        system.stop()
    assert journal == ["+a", "-a"]


async def test_a_stop_interrupts_restarts():
    async def receive(message: object, ctx: Context) -> None:
        raise RuntimeError

    lives = 0

    async def started(ctx: Context) -> None:
        nonlocal lives
        lives += 1
        if lives > 1:
            await anyio.sleep_forever()

    async with running(handler("a", receive, started), intensity=1000) as system:
        system.ref("a").tell("crash")
        await settle()
    assert lives == 2


async def test_stop_before_run_and_twice_is_fine():
    journal: list[str] = []
    system = System("rome-1")
    system.stop()
    system.stop()
    await system.run(SupervisorSpec(children=(scribe("a", journal),)))
    assert journal == []
    assert system.inspect() == []


async def test_a_system_runs_once():
    system = System("rome-1")
    system.stop()
    await system.run(SupervisorSpec())
    with pytest.raises(RuntimeError, match="make a new one"):
        await system.run(SupervisorSpec())


async def test_a_stop_that_raises_is_a_failure_of_that_child_alone():
    journal: list[str] = []

    class Fragile(Scribe):
        async def stopped(self, ctx: Context) -> None:
            raise OSError("cannot clean up")

    async with running(scribe("a", journal), ChildSpec("b", lambda: Fragile("b", journal))):
        pass
    assert journal == ["+a", "+b", "-a"]


async def test_a_crash_during_the_shutdown_restarts_nothing():
    journal: list[str] = []
    async with running(scribe("a", journal), scribe("b", journal)) as system:
        system.ref("a").tell(Sleep(1))
        system.ref("b").tell(Sleep(1))
        system.ref("b").tell(Crash())
        await anyio.sleep(0.999)
    assert journal == ["+a", "+b", "-b", "-a"]
