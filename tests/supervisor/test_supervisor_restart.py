"""Who is restarted with whom, how often, and what happens when that is too often."""

import anyio
import pytest

from supervisor.actor import Context
from supervisor.errors import RestartIntensityExceeded, StartFailed
from supervisor.spec import ChildSpec, Restart, Strategy, SupervisorSpec
from supervisor.system import System
from tests.supervisor.build import Crash, StopYourself, handler, running, scribe, settle

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("strategy", "after"),
    [
        (Strategy.ONE_FOR_ONE, ["+b"]),
        (Strategy.REST_FOR_ONE, ["-c", "+b", "+c"]),
        (Strategy.ONE_FOR_ALL, ["-c", "-a", "+a", "+b", "+c"]),
    ],
)
async def test_a_strategy_restarts_in_order(strategy: Strategy, after: list[str]):
    journal: list[str] = []
    async with running(*(scribe(name, journal) for name in "abc"), strategy=strategy) as system:
        assert journal == ["+a", "+b", "+c"]
        system.ref("b").tell(Crash())
        await settle()
        assert journal[3:] == after
        assert [info.restarts for info in system.inspect()[1:]] == [int(f"+{name}" in after) for name in "abc"]
    assert journal[-3:] == ["-c", "-b", "-a"]


async def test_a_temporary_sibling_that_is_taken_down_is_gone():
    journal: list[str] = []
    children = (scribe("a", journal), scribe("b", journal, restart=Restart.TEMPORARY))
    async with running(*children, strategy=Strategy.ONE_FOR_ALL) as system:
        system.ref("a").tell(Crash())
        await settle()
        assert [info.address.path for info in system.inspect()] == ["", "a"]
    assert journal == ["+a", "+b", "-b", "+a", "-a"]


@pytest.mark.parametrize(
    ("restart", "message", "state"),
    [
        (Restart.PERMANENT, Crash(), "running"),
        (Restart.PERMANENT, StopYourself(), "running"),
        (Restart.TRANSIENT, Crash(), "running"),
        (Restart.TRANSIENT, StopYourself(), "stopped"),
        (Restart.TEMPORARY, Crash(), None),
        (Restart.TEMPORARY, StopYourself(), None),
    ],
)
async def test_a_restart_kind_says_what_follows_an_end(restart: Restart, message: object, state: str | None):
    async with running(scribe("a", [], restart=restart)) as system:
        system.ref("a").tell(message)
        await settle()
        assert [info.state for info in system.inspect("a")] == ([state] if state else [])


async def test_a_restart_leaves_siblings_their_state():
    async with running(scribe("a", []), scribe("b", [])) as system:
        before = {info.address.name: info.incarnation for info in system.inspect()}
        system.ref("a").tell(Crash())
        await settle()
        after = {info.address.name: info.incarnation for info in system.inspect()}
        assert after["a"] > before["a"]
        assert after["b"] == before["b"]


async def test_intensity_counts_for_the_whole_supervisor_within_its_period():
    async with running(scribe("a", []), scribe("b", []), intensity=2, period=10) as system:
        for _ in range(10):  # two in any ten seconds: allowed for ever
            system.ref("a").tell(Crash())
            await anyio.sleep(3)
            system.ref("b").tell(Crash())
            await anyio.sleep(8)
        assert [info.restarts for info in system.inspect()[1:]] == [10, 10]


async def test_the_root_that_gives_up_stops_its_children_and_raises():
    journal: list[str] = []
    with pytest.RaisesGroup(
        pytest.RaisesExc(RestartIntensityExceeded, match="rome-1 gave up: more than 1 restarts in 5 s")
    ):
        async with running(scribe("a", journal), scribe("b", journal)) as system:
            for _ in range(2):
                system.ref("b").tell(Crash())
                await settle()
            await anyio.sleep_forever()
    assert journal == ["+a", "+b", "+b", "-a"]


async def test_an_escalation_fails_the_supervisor_and_shows():
    journal: list[str] = []
    inner = SupervisorSpec(children=(scribe("a", journal), scribe("b", journal)), intensity=0)
    async with running(ChildSpec("inner", inner), scribe("c", journal)) as system:
        system.ref("inner/a").tell(Crash("first"))
        await settle()
        info = system.inspect("inner")[0]
        assert (info.restarts, info.state, info.kind) == (1, "running", "Supervisor")
        assert info.last_failure == (
            "RestartIntensityExceeded: rome-1/inner gave up: more than 0 restarts in 5 s, the last for a"
        )
        assert info.last_failure_at is not None
        assert await system.ref("inner/a").ask("x", timeout=1) == "x"
    assert journal == ["+a", "+b", "+c", "-b", "+a", "+b", "a:x", "-c", "-b", "-a"]


async def test_two_levels_give_up_level_by_level():
    starts: list[str] = []

    async def receive(message: object, ctx: Context) -> None:
        raise RuntimeError

    async def started(ctx: Context) -> None:
        starts.append("a")
        ctx.self.tell("crash")

    inner = SupervisorSpec(children=(handler("a", receive, started),), intensity=2)
    with pytest.RaisesGroup(RestartIntensityExceeded):
        async with running(ChildSpec("inner", inner), intensity=1):
            await anyio.sleep_forever()
    assert len(starts) == 6  # two lives of the supervisor, three of the actor in each


async def test_a_failed_restart_counts_and_is_tried_again():
    lives = 0

    async def receive(message: object, ctx: Context) -> None:
        raise RuntimeError("crash")

    async def started(ctx: Context) -> None:
        nonlocal lives
        lives += 1
        if lives in (2, 3):
            raise OSError("not yet")

    async with running(handler("a", receive, started), intensity=3) as system:
        system.ref("a").tell("x")
        await settle()
        info = system.inspect("a")[0]
        assert (lives, info.restarts, info.state, info.last_failure) == (4, 3, "running", "OSError: not yet")


async def test_a_failed_restart_is_seen_and_can_be_stopped():
    lives = 0

    async def receive(message: object, ctx: Context) -> None:
        raise RuntimeError("crash")

    async def started(ctx: Context) -> None:
        nonlocal lives
        lives += 1
        if lives > 1:
            await anyio.sleep(1)
            raise OSError("never again")

    with pytest.RaisesGroup(pytest.RaisesExc(RestartIntensityExceeded)):
        async with running(handler("a", receive, started), intensity=5) as system:
            system.ref("a").tell("x")
            await anyio.sleep(2.5)
            assert system.inspect("a")[0].state == "starting"
            assert system.inspect("a")[0].restarts == 3
            await anyio.sleep_forever()
    assert lives == 6


async def test_a_tree_that_does_not_start_stops_what_did_and_raises():
    journal: list[str] = []

    async def started(ctx: Context) -> None:
        raise OSError("port taken")

    async def receive(message: object, ctx: Context) -> None:
        pass

    inner = SupervisorSpec(children=(scribe("b", journal), handler("bad", receive, started)))
    spec = SupervisorSpec(children=(scribe("a", journal), ChildSpec("inner", inner), scribe("c", journal)))
    with pytest.raises(
        StartFailed, match="rome-1/inner did not start: StartFailed: rome-1/inner/bad did not start"
    ) as failure:
        await System("rome-1").run(spec)
    assert isinstance(failure.value.cause, StartFailed)
    assert isinstance(failure.value.cause.cause, OSError)
    assert journal == ["+a", "+b", "-b", "-a"]


async def test_a_factory_that_raises_is_a_failed_start():
    def factory():
        raise OSError("no such thing")

    with pytest.raises(StartFailed, match="OSError: no such thing"):
        await System("rome-1").run(SupervisorSpec(children=(ChildSpec("a", factory),)))


async def test_a_crash_right_after_the_start_is_a_crash_not_a_failed_start():
    lives = 0

    async def receive(message: object, ctx: Context) -> None:
        raise RuntimeError

    async def started(ctx: Context) -> None:
        nonlocal lives
        lives += 1
        if lives == 1:
            ctx.self.tell("crash")

    async with running(handler("a", receive, started)) as system:
        await settle()
        assert system.inspect("a")[0].restarts == 1


def test_specs_refuse_what_cannot_be():
    with pytest.raises(ValueError, match="share an id"):
        SupervisorSpec(children=(scribe("a", []), scribe("a", [])))
    with pytest.raises(ValueError, match="no fewer than 0"):
        SupervisorSpec(intensity=-1)
    with pytest.raises(ValueError, match="cannot name a child"):
        scribe("a/b", [])
