"""Spawned jobs: long work beside the mailbox, its result a message."""

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from supervisor.actor import Context
from tests.supervisor.build import handler, running, settle

pytestmark = pytest.mark.anyio


def commanded(journal: list[object], **commands: Callable[[Context], Any]) -> Any:
    """A receive function: a message that names a command runs it, any other goes into the journal."""

    async def receive(message: object, ctx: Context) -> None:
        if message in commands:
            commands[str(message)](ctx)
        else:
            journal.append(message)

    return receive


def spawn(*jobs: tuple[Any, ...]) -> Callable[[Context], None]:
    """A command that spawns `work` for each job: its key and its arguments."""

    def command(ctx: Context) -> None:
        for key, *args in jobs:
            ctx.spawn(key, work, *args)

    return command


def cancel(*keys: str) -> Callable[[Context], None]:
    """A command that cancels these jobs."""

    def command(ctx: Context) -> None:
        for key in keys:
            ctx.cancel(key)

    return command


async def work(seconds: float, result: object, journal: list[object] | None = None) -> object:
    try:
        await anyio.sleep(seconds)
    finally:
        if journal is not None:
            journal.append(f"{result} over")
    return result


async def test_a_result_is_a_message_and_the_mailbox_goes_on_meanwhile():
    journal: list[object] = []
    spec = handler("a", commanded(journal, go=spawn(("j", 2, "result"), ("k", 1, None))))
    async with running(spec) as system:
        system.ref("a").tell("go")
        system.ref("a").tell("meanwhile")
        await anyio.sleep(3)
    assert journal == ["meanwhile", "result"]


async def test_a_job_that_raises_crashes_its_actor_in_the_middle_of_a_handler():
    journal: list[object] = []

    async def fail() -> None:
        await anyio.sleep(1)
        raise OSError("the wire is cut")

    async def receive(message: object, ctx: Context) -> None:
        ctx.spawn("j", fail)
        ctx.spawn("k", work, 60, "other", journal)
        await anyio.sleep(60)

    async with running(handler("a", receive)) as system:
        system.ref("a").tell("go")
        await anyio.sleep(2)
        info = system.inspect("a")[0]
        assert (info.restarts, info.last_failure) == (1, "OSError: the wire is cut")
    assert journal == ["other over"]


async def test_the_same_key_replaces_once_the_old_job_has_ended():
    journal: list[object] = []

    async def slow_to_end(name: str) -> str:
        journal.append(f"{name} begins")
        try:
            await anyio.sleep(60)
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(1)
            journal.append(f"{name} ends")
        return f"{name} done"

    commands = {name: lambda ctx, name=name: ctx.spawn("j", slow_to_end, name) for name in ("one", "two", "three")}
    async with running(handler("a", commanded(journal, **commands))) as system:
        system.ref("a").tell("one")
        await settle()
        system.ref("a").tell("two")
        system.ref("a").tell("three")
        await anyio.sleep(70)
    assert journal == ["one begins", "one ends", "three begins", "three ends", "three done"]


async def test_a_cancelled_job_ends_and_its_waiting_result_is_dropped():
    journal: list[object] = []
    slow = commanded(
        journal,
        go=spawn(("j", 10, "running", journal), ("k", 0.5, "waiting")),
        cancel=cancel("j", "k", "unknown"),
    )

    async def receive(message: object, ctx: Context) -> None:
        await slow(message, ctx)
        await anyio.sleep(1)

    async with running(handler("a", receive)) as system:
        system.ref("a").tell("go")
        system.ref("a").tell("cancel")
        await anyio.sleep(20)
    assert journal == ["running over"]


@pytest.mark.parametrize("end", ["stop", "crash", "shutdown"])
async def test_jobs_end_with_their_incarnation(end: str):
    journal: list[object] = []

    def crash(ctx: Context) -> None:
        raise RuntimeError

    receive = commanded(
        journal,
        go=spawn(("j", 60, "work", journal)),
        stop=lambda ctx: ctx.stop(),
        crash=crash,
    )
    async with running(handler("a", receive)) as system:
        system.ref("a").tell("go")
        await settle()
        system.ref("a").tell(end)
        await settle()
        if end != "shutdown":
            assert journal == ["work over"]
    assert journal[-1] == "work over"


async def test_a_job_may_be_spawned_while_starting():
    journal: list[object] = []

    async def started(ctx: Context) -> None:
        ctx.spawn("j", work, 1, "done")

    async with running(handler("a", commanded(journal), started)):
        await anyio.sleep(2)
    assert journal == ["done"]
