"""Timers: messages to oneself, later."""

import anyio
import pytest

from supervisor.actor import Context
from tests.supervisor.build import Crash, Sleep, handler, running, settle

pytestmark = pytest.mark.anyio


class Log:
    """What a test's actor was sent, with the virtual second."""

    def __init__(self) -> None:
        self.begin = anyio.current_time()
        self.entries: list[tuple[object, float]] = []

    def add(self, message: object) -> None:
        self.entries.append((message, round(anyio.current_time() - self.begin, 1)))


async def test_a_timer_ticks_once_at_its_time():
    log = Log()

    async def started(ctx: Context) -> None:
        ctx.timers.start("late", 3, "late")
        ctx.timers.start("early", 1, "early")
        ctx.timers.start("now", 0, "now")

    async def receive(message: object, ctx: Context) -> None:
        log.add(message)

    async with running(handler("a", receive, started)):
        await anyio.sleep(10)
    assert log.entries == [("now", 0), ("early", 1), ("late", 3)]


async def test_every_ticks_without_drift_and_leaves_out_what_it_cannot_keep_up_with():
    log = Log()

    async def started(ctx: Context) -> None:
        ctx.timers.every("tick", 1, "tick")

    async def receive(message: object, ctx: Context) -> None:
        log.add(message)
        await anyio.sleep(3.3 if len(log.entries) == 2 else 0.1)

    async with running(handler("a", receive, started)):
        await anyio.sleep(8.5)
    # Busy from 2 to 5.3: of the ticks at 3, 4 and 5 one waits, and the rhythm is kept.
    assert [at for _, at in log.entries] == [1, 2, 5.3, 6, 7, 8]


async def test_starting_under_a_key_replaces_and_cancel_ends_even_a_waiting_tick():
    log = Log()

    async def started(ctx: Context) -> None:
        ctx.timers.start("replaced", 1, "old")
        ctx.timers.start("replaced", 2, "new")
        ctx.timers.start("cancelled", 1, "never")
        ctx.timers.start("waiting", 3, "never")
        ctx.timers.start("busy", 2.5, "busy")

    async def receive(message: object, ctx: Context) -> None:
        log.add(message)
        ctx.timers.cancel("cancelled" if message == "new" else "unknown")
        if message == "busy":
            await anyio.sleep(1)
            ctx.timers.cancel("waiting")

    async with running(handler("a", receive, started)) as system:
        system.ref("a").tell("new")
        await anyio.sleep(5)
    assert log.entries == [("new", 0), ("new", 2), ("busy", 2.5)]


async def test_a_timer_may_be_started_again_by_its_own_tick():
    log = Log()

    async def receive(message: object, ctx: Context) -> None:
        log.add(message)
        ctx.timers.start("again", 1, "tick")

    async with running(handler("a", receive)) as system:
        system.ref("a").tell("go")
        await anyio.sleep(3.5)
    assert log.entries == [("go", 0), ("tick", 1), ("tick", 2), ("tick", 3)]


async def test_timers_die_with_their_incarnation():
    log = Log()

    async def receive(message: object, ctx: Context) -> None:
        log.add(message)
        match message:
            case "arm":
                ctx.timers.every("tick", 1, "tick")
            case Crash():
                raise RuntimeError

    async with running(handler("a", receive)) as system:
        system.ref("a").tell("arm")
        await anyio.sleep(1.5)
        system.ref("a").tell(Crash())
        await anyio.sleep(5)
    assert log.entries == [("arm", 0), ("tick", 1), (Crash(), 1.5)]


async def test_a_full_mailbox_loses_no_tick():
    log = Log()

    async def started(ctx: Context) -> None:
        ctx.timers.start("tick", 1, "tick")

    async def receive(message: object, ctx: Context) -> None:
        match message:
            case Sleep(seconds):
                await anyio.sleep(seconds)
            case "tick":
                log.add(message)

    async with running(handler("a", receive, started)) as system:
        system.ref("a").tell(Sleep(2))
        await settle()
        for _ in range(1000):
            system.ref("a").tell("filler")
        await anyio.sleep(3)
        assert len(system.dead_letters) == 0
    assert log.entries == [("tick", 2)]


async def test_an_interval_of_nothing_is_refused():
    async def receive(message: object, ctx: Context) -> None:
        with pytest.raises(ValueError, match="positive interval"):
            ctx.timers.every("tick", 0, "tick")
        ctx.reply("refused")

    async with running(handler("a", receive)) as system:
        assert await system.ref("a").ask("x", timeout=1) == "refused"
