"""Commands in containers on this machine and on another one: the same either way."""

import anyio
import pytest

from actors import protocol
from actors.stream import HungUp, Stream
from cluster.container import ContainerSpec
from engine.fake import FakeEngine, FakeImage
from engine.fake_exec import Typing
from portal.backend import EngineFailed
from tests.cli.afar import MANAGER, WORKER, Legion, legion
from tests.sim.scheduling import virtual_backend

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize(
        "anyio_backend", [virtual_backend("asyncio"), virtual_backend("trio")], ids=["asyncio", "trio"]
    ),
]


def copy(typing: Typing) -> int | None:
    if taken := typing.take():
        typing.write(taken)
    return 7 if typing.at_end else None


def size(typing: Typing) -> int | None:
    if typing.take():
        typing.write(b"%d by %d" % (typing.rows, typing.columns), "stderr")
    return None


def deaf(typing: Typing) -> None:
    return None


class Busy(FakeEngine):
    """Has a container `web` in which these commands can be run; `flooded` is how many bytes `flood` has written."""

    flooded = 0

    def flood(self, typing: Typing) -> None:
        typing.write(b"x" * 10_000)
        self.flooded += 10_000

    async def prepare(self) -> str:
        self.images["web"] = FakeImage(local=True)
        self.commands.update(copy=copy, size=size, flood=self.flood, deaf=deaf)
        container = await self.create(ContainerSpec("web", "web", {}))
        await self.start(container)
        return container

    async def idle(self) -> None:
        """Wait until nobody listens to a command any more."""
        with anyio.fail_after(60):
            while self.executing:
                await anyio.sleep(0.01)


@pytest.fixture(params=["here", "afar"])
def here(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "here")


def placed(two: Legion, engine: FakeEngine, here: bool) -> None:
    """Let the task's machine be the manager's own."""
    if here:
        two.streams._node, two.streams._engine = WORKER, engine


async def told(stream: Stream, count: int) -> bytes:
    """So many bytes of what a command writes."""
    said = b""
    while len(said) < count:
        message = await stream.receive()
        assert isinstance(message, protocol.Printed)
        said += message.data
    return said


async def test_what_is_typed_is_read_and_the_exit_code_is_told(here):
    engine = Busy()
    async with legion(engine) as two:
        await engine.prepare()
        placed(two, engine, here)
        async with two.exec("copy", stdin=True) as stream:
            await stream.send(protocol.Typed(b"\0\xff hello"))
            assert await told(stream, 8) == b"\0\xff hello"
            await stream.send(protocol.TypedAll())
            assert await stream.receive() == protocol.Exited(7)
        await two.quiet()
        assert engine.executing == 0


async def test_a_terminal_has_the_size_that_it_was_given_last(here):
    engine = Busy()
    async with legion(engine) as two:
        await engine.prepare()
        placed(two, engine, here)
        async with two.exec("size", tty=True, stdin=True, rows=24, columns=80) as stream:
            await stream.send(protocol.Typed(b"?"))
            assert await stream.receive() == protocol.Printed("stdout", b"24 by 80")
            await stream.send(protocol.Resized(40, 120))
            await stream.send(protocol.Typed(b"?"))
            assert await stream.receive() == protocol.Printed("stdout", b"40 by 120")


async def test_a_command_that_is_not_there_says_so_and_has_its_code(here):
    engine = Busy()
    async with legion(engine) as two:
        await engine.prepare()
        placed(two, engine, here)
        async with two.exec("nothing") as stream:
            assert b"not found" in await told(stream, 1)
            assert await stream.receive() == protocol.Exited(127)


async def test_what_the_engine_refuses_is_told_in_its_words(here):
    engine = Busy()
    async with legion(engine) as two:
        container = await engine.prepare()
        engine.exit(container, 0)
        placed(two, engine, here)
        async with two.exec("copy") as stream:
            assert await stream.receive() == protocol.Failed("container web does not run; see why with `gbnt task ls`")
        async with two.exec("copy", container="nobody") as stream:
            assert await stream.receive() == protocol.Failed("container nobody does not exist on this machine")


async def test_an_engine_that_goes_away_ends_a_command_in_words(here):
    engine = Busy()
    async with legion(engine) as two:
        await engine.prepare()
        placed(two, engine, here)
        async with two.exec("copy", stdin=True) as stream:
            await stream.send(protocol.Typed(b"x"))
            await told(stream, 1)
            engine.crash()
            last = await stream.receive()
            assert isinstance(last, protocol.Failed)
            assert "does not answer" in last.reason


async def test_who_leaves_lets_go_of_the_engine_whatever_the_command_does(here):
    engine = Busy()
    async with legion(engine) as two:
        await engine.prepare()
        placed(two, engine, here)
        for command in ("deaf", "flood", "copy"):
            with anyio.move_on_after(1):
                async with two.exec(command, stdin=True) as stream:
                    await stream.send(protocol.Typed(b"x"))
                    await anyio.sleep_forever()
            await engine.idle()
        await two.quiet()


async def test_who_takes_nothing_holds_up_the_command(here):
    engine = Busy()
    async with legion(engine) as two:
        await engine.prepare()
        placed(two, engine, here)
        async with two.exec("flood") as stream:
            await anyio.sleep(10)
            assert 0 < engine.flooded < 1_000_000
            assert len(await told(stream, 3_000_000)) == 3_000_000
        await engine.idle()


async def test_a_line_that_is_cut_ends_a_command_at_both_ends():
    engine = Busy()
    async with legion(engine) as two:
        await engine.prepare()
        async with two.exec("copy", stdin=True) as stream:
            await stream.send(protocol.Typed(b"x"))
            await told(stream, 1)
            two.network.cut(MANAGER, WORKER)
            with pytest.raises(HungUp, match="cut"):
                await stream.receive()
        await engine.idle()


async def test_a_machine_that_is_not_reached_is_told_before_anything_is_run():
    async with legion(Busy()) as two:
        two.network.part(MANAGER, WORKER)
        await anyio.sleep(10)
        with pytest.raises(EngineFailed, match="does not answer"):
            async with two.exec("copy"):
                pass
