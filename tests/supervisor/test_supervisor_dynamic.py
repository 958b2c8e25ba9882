"""Children that are started and stopped while the system runs."""

import anyio
import pytest

from supervisor.actor import Context
from supervisor.errors import ActorStopped, AlreadyStarted, NoSuchActor, StartFailed
from supervisor.spec import ChildSpec, Restart, Strategy, SupervisorSpec
from tests.supervisor.build import Crash, Sleep, StopYourself, handler, running, scribe, settle

pytestmark = pytest.mark.anyio

EMPTY = ChildSpec("tasks", SupervisorSpec(intensity=3))


async def test_a_child_has_started_when_start_child_returns_and_ended_when_stop_child_does():
    journal: list[str] = []
    async with running(EMPTY) as system:
        ref = await system.start_child("tasks", scribe("a", journal))
        assert (str(ref.address), journal) == ("rome-1/tasks/a", ["+a"])
        assert await ref.ask("x", timeout=1) == "x"
        await system.stop_child("tasks/a")
        assert journal == ["+a", "a:x", "-a"]
        assert [info.address.path for info in system.inspect("tasks")] == ["tasks"]
        with pytest.raises(NoSuchActor):
            await ref.ask("x", timeout=1)


async def test_the_root_takes_children_too():
    async with running() as system:
        ref = await system.start_child("", scribe("a", []))
        assert str(ref.address) == "rome-1/a"
        await system.stop_child("a")
        assert [info.address.path for info in system.inspect()] == [""]


async def test_a_dynamic_child_is_restarted_and_forgotten_when_it_ends_for_good():
    journal: list[str] = []
    async with running(EMPTY) as system:
        ref = await system.start_child("tasks", scribe("a", journal, restart=Restart.TRANSIENT))
        ref.tell(Crash())
        await settle()
        ref.tell(StopYourself())
        await settle()
        assert journal == ["+a", "+a", "-a"]
        assert [info.address.path for info in system.inspect("tasks")] == ["tasks"]
        await system.start_child("tasks", scribe("a", journal))


async def test_a_child_that_lives_is_not_started_again():
    async with running(EMPTY) as system:
        await system.start_child("tasks", scribe("a", []))
        with pytest.raises(AlreadyStarted, match="rome-1/tasks/a is there already"):
            await system.start_child("tasks", scribe("a", []))


async def test_a_child_that_does_not_start_is_forgotten():
    async def started(ctx: Context) -> None:
        raise OSError("no engine")

    async def receive(message: object, ctx: Context) -> None:
        pass

    async with running(EMPTY) as system:
        with pytest.raises(StartFailed, match="rome-1/tasks/a did not start: OSError: no engine"):
            await system.start_child("tasks", handler("a", receive, started))
        await system.start_child("tasks", scribe("a", []))
        assert system.inspect("tasks")[0].restarts == 0


async def test_unknown_supervisors_and_children():
    async with running(scribe("a", [])) as system:
        with pytest.raises(NoSuchActor):
            await system.start_child("nobody", scribe("b", []))
        with pytest.raises(NoSuchActor):  # an actor is no supervisor
            await system.start_child("a", scribe("b", []))
        await system.stop_child("nobody/at/all")
        await system.stop_child("nobody")


async def test_a_static_child_can_be_stopped_and_started_anew():
    journal: list[str] = []
    async with running(scribe("a", journal), scribe("b", journal)) as system:
        await system.stop_child("a")
        await system.start_child("", scribe("a", journal))
    assert journal == ["+a", "+b", "-a", "+a", "-a", "-b"]


async def test_dynamic_children_are_part_of_the_strategy_and_end_with_their_supervisor():
    journal: list[str] = []
    tasks = SupervisorSpec(strategy=Strategy.REST_FOR_ONE, intensity=1)
    async with running(ChildSpec("tasks", tasks)) as system:
        for name in "abc":
            await system.start_child("tasks", scribe(name, journal))
        system.ref("tasks/b").tell(Crash())
        await settle()
        assert journal[3:] == ["-c", "+b", "+c"]
        system.ref("tasks/a").tell(Crash())
        await settle()
        assert [info.address.path for info in system.inspect("tasks")] == ["tasks"]
    assert journal[6:] == ["-c", "-b"]


async def test_an_actor_may_start_and_stop_children_of_another_supervisor():
    journal: list[str] = []

    async def receive(message: object, ctx: Context) -> None:
        if message == "start":
            ctx.reply(str((await ctx.system.start_child("tasks", scribe("a", journal))).address))
        else:
            await ctx.system.stop_child("tasks/a")
            ctx.reply("stopped")

    async with running(EMPTY, handler("agent", receive)) as system:
        assert await system.ref("agent").ask("start", timeout=1) == "rome-1/tasks/a"
        assert await system.ref("agent").ask("stop", timeout=1) == "stopped"
    assert journal == ["+a", "-a"]


async def test_many_requests_at_once_are_all_answered():
    journal: list[str] = []
    async with running(EMPTY) as system, anyio.create_task_group() as group:
        for number in range(50):
            group.start_soon(system.start_child, "tasks", scribe(f"t{number}", journal))
        for number in range(0, 50, 2):
            group.start_soon(system.stop_child, f"tasks/t{number + 50}")
    assert sorted(journal)[:50] == sorted(f"+t{number}" for number in range(50))


async def test_a_stubborn_child_is_killed_when_stopped():
    async with running(EMPTY) as system:
        ref = await system.start_child("tasks", scribe("a", [], shutdown=1))
        ref.tell(Sleep(60))
        await settle()
        begin = anyio.current_time()
        await system.stop_child("tasks/a")
        assert anyio.current_time() - begin == pytest.approx(1, abs=0.1)


async def test_a_request_that_waits_when_the_supervisor_ends_is_refused_and_no_dead_letter():
    async def started(ctx: Context) -> None:
        await anyio.sleep_forever()

    async def receive(message: object, ctx: Context) -> None:
        pass

    async with running(EMPTY) as system:

        async def start(spec: ChildSpec) -> None:
            with pytest.raises((StartFailed, ActorStopped)):
                await system.start_child("tasks", spec)

        async with anyio.create_task_group() as group:
            group.start_soon(start, handler("hangs", receive, started))
            await settle()
            group.start_soon(start, scribe("waits", []))
            await settle()
            system.stop()
    assert len(system.dead_letters) == 0
