"""Logs of tasks on another machine, at the doors of the manager."""

from contextlib import AsyncExitStack, aclosing

import anyio
import pytest

from actors import streams
from cluster.container import ContainerSpec
from engine.fake import FakeEngine, FakeImage
from engine.port import EngineUnavailable
from portal.backend import EngineFailed
from tests.cli.afar import MANAGER, WORKER, Fountain, afar, legion
from tests.sim.scheduling import virtual_backend

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize(
        "anyio_backend", [virtual_backend("asyncio"), virtual_backend("trio")], ids=["asyncio", "trio"]
    ),
]


async def wrote(engine: FakeEngine, *lines: str) -> str:
    """A container that wrote these lines, and runs."""
    engine.images["talks"] = FakeImage(local=True, output=lines)
    container = await engine.create(ContainerSpec("talks", "talks", {}))
    await engine.start(container)
    return container


async def test_every_line_arrives_and_in_order():
    engine = FakeEngine()
    lines = [f"{number}" for number in range(100_000)]
    async with legion(engine) as two:
        container = await wrote(engine, *lines)
        assert [line async for line in two.lines(container)] == lines
        assert [line async for line in two.lines(container, tail=2)] == lines[-2:]
        await two.quiet()


async def test_a_followed_log_goes_on_until_its_container_ends():
    engine = FakeEngine()
    async with legion(engine) as two:
        container = await wrote(engine, "one")
        lines = two.lines(container, follow=True)
        async with aclosing(lines):
            assert await anext(lines) == "one"
            engine.write(container, "zwei ✓")
            assert await anext(lines) == "zwei ✓"
            engine.exit(container, 0)
            assert [line async for line in lines] == []


async def test_what_the_engine_there_says_is_told_here():
    engine = FakeEngine()
    async with legion(engine) as two:
        with pytest.raises(EngineFailed, match=r"^container nobody does not exist on this machine$"):
            await anext(two.lines("nobody"))
        container = await wrote(engine, "one")
        engine.refuse("logs", EngineUnavailable("the Docker Engine is stopping"))
        with pytest.raises(EngineFailed, match=r"^the Docker Engine is stopping$"):
            await anext(two.lines(container))


async def test_who_reads_slowly_holds_up_the_engine_and_nobody_else():
    engine = Fountain()
    async with legion(engine) as two, AsyncExitStack() as stack:
        slow, quick = [await stack.enter_async_context(aclosing(two.lines(name))) for name in ("slow", "quick")]
        assert await anext(slow) == "0"
        for number in range(50_000):
            assert await anext(quick) == f"{number}"
        assert engine.drawn["slow"] < 6_000  # a window of 256 KiB, and what is at hand at both its ends
        for number in range(1, 20_000):
            assert await anext(slow) == f"{number}"


async def test_who_has_read_enough_frees_the_engine():
    engine = Fountain()
    async with legion(engine) as two:
        async with aclosing(two.lines("web")) as lines:
            assert await anext(lines) == "0"
            assert engine.open == {"web"}
        await two.quiet()
        assert engine.open == set()


async def test_who_is_cancelled_while_nothing_is_written_frees_the_engine_too():
    engine = FakeEngine()
    async with legion(engine) as two:
        container = await wrote(engine)
        with anyio.move_on_after(1):
            async with aclosing(two.lines(container, follow=True)) as lines:
                await anext(lines)
        await two.quiet()
        [actor] = two.worker.system.inspect("streams")
        assert actor.detail == {"serving": []}


async def test_a_line_that_is_cut_is_told_after_what_came_before():
    engine = Fountain()
    async with legion(engine) as two, aclosing(two.lines("web")) as lines:
        assert await anext(lines) == "0"
        two.network.cut(MANAGER, WORKER)
        with pytest.raises(EngineFailed, match="the stream from the machine of task shop-web-1 was cut: the line was"):
            async for _ in lines:
                pass
        await two.quiet()
        assert engine.open == set()


async def test_a_machine_that_is_cut_off_in_silence_ends_its_streams():
    engine = Fountain()
    async with legion(engine) as two, aclosing(two.lines("web")) as lines:
        assert await anext(lines) == "0"
        two.network.part(MANAGER, WORKER)
        with pytest.raises(EngineFailed, match=r"was cut: nothing was heard of rome-2 for 5 s"):
            async for _ in lines:
                pass
        await two.quiet()
        assert engine.open == set()


async def test_a_machine_that_cannot_be_asked_is_told():
    async with legion(FakeEngine()) as two:
        two.network.part(MANAGER, WORKER)
        await anyio.sleep(10)
        with pytest.raises(
            EngineFailed, match="the machine of task shop-web-1 does not answer: no way leads to rome-2"
        ):
            await anext(two.lines("web"))


async def test_a_stream_that_cannot_be_opened_is_told():
    async with legion(FakeEngine()) as two:
        two.network._listeners.clear()
        with pytest.raises(EngineFailed, match="says: the stream could not be opened: rome-1 does not answer"):
            await anext(two.lines("web"))


async def test_so_many_streams_are_open_at_a_time(monkeypatch):
    monkeypatch.setattr(streams, "MOST_STREAMS", 2)
    async with legion(Fountain()) as two:
        async with AsyncExitStack() as stack:
            for name in ("one", "two"):
                assert await anext(await stack.enter_async_context(aclosing(two.lines(name)))) == "0"
            with pytest.raises(EngineFailed, match="this machine serves 2 streams already"):
                await anext(two.lines("three"))
        await two.quiet()
        async with aclosing(two.lines("three")) as lines:
            assert await anext(lines) == "0"


async def test_a_task_of_this_machine_is_read_of_its_own_engine():
    async with legion(Fountain()) as two:
        here = afar()
        two.streams._node = WORKER
        with pytest.raises(EngineFailed, match="container web does not exist"):
            await anext(two.streams.logs(here, "web", follow=False, tail=None, since=0.0))
        assert len(two.ours) == 0
