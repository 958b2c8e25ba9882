"""What a conduit has to do, whatever network is under it: `pair` is one of two nodes, of which the second dials."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import anyio
import pytest

from transport.channel import Channel, ChannelClosed, Dial
from transport.conduit import MAX_MESSAGE, WINDOW, Conduit
from transport.conduits import Conduits


async def no_links(channel: Channel) -> None:
    raise AssertionError("no link was opened")


@dataclass
class Pair:
    """rome-1, which expects conduits, and rome-2, which opens them by a dialer."""

    dialer: Callable[[str], Dial]
    ours: Conduits = field(default_factory=lambda: Conduits(no_links))
    theirs: Conduits = field(default_factory=lambda: Conduits(no_links))

    @asynccontextmanager
    async def conduit(self):
        """Both ends of one."""
        with self.ours.expect("rome-2") as expected:
            async with self.theirs.open(self.dialer(expected.id)) as there:
                yield await expected.conduit(), there


Rule = Callable[[Pair], Awaitable[None]]


async def fill(conduit: Conduit, sent: list[int], text: str = "x" * 1000) -> None:
    """Send numbers until it ends."""
    try:
        while True:
            await conduit.send([len(sent), text])
            sent.append(len(sent))
    except ChannelClosed:
        pass


async def at_rest(sent: list[int]) -> None:
    """Wait until no more is sent."""
    before = -1
    while before < len(sent) or not sent:
        before = len(sent)
        await anyio.sleep(0.05)


async def number_of(conduit: Conduit) -> int:
    """Receive one of what `fill` sends."""
    message = await conduit.receive()
    assert isinstance(message, list)
    return int(message[0])


async def drain(conduit: Conduit) -> AsyncIterator[object]:
    while True:
        try:
            message = await conduit.receive()
        except ChannelClosed:
            return
        yield message


async def messages_go_both_ways_in_order(pair: Pair) -> None:
    async def tell(conduit: Conduit) -> None:
        for number in range(2000):
            await conduit.send([number, "x" * 500])

    async def check(conduit: Conduit) -> None:
        assert [await number_of(conduit) for _ in range(2000)] == list(range(2000))

    async with pair.conduit() as ends, anyio.create_task_group() as group:
        for end in ends:
            group.start_soon(tell, end)
            group.start_soon(check, end)


async def one_message_may_be_longer_than_the_window(pair: Pair) -> None:
    text = "x" * (3 * WINDOW)

    async def tell(conduit: Conduit) -> None:
        for _ in range(3):
            await conduit.send(text)

    async with pair.conduit() as (here, there), anyio.create_task_group() as group:
        group.start_soon(tell, there)
        assert [await here.receive() for _ in range(3)] == [text] * 3


async def who_reads_slowly_holds_up_its_own_writer_alone(pair: Pair) -> None:
    async with anyio.create_task_group() as group, AsyncExitStack() as stack:
        slow_here, slow_there = await stack.enter_async_context(pair.conduit())
        here, there = await stack.enter_async_context(pair.conduit())
        ahead: list[int] = []
        group.start_soon(fill, slow_there, ahead)
        await at_rest(ahead)
        others: list[int] = []
        group.start_soon(fill, there, others)
        assert [await number_of(here) for _ in range(3000)] == list(range(3000))
        assert len(ahead) <= WINDOW / 1000 + 1
        assert [await number_of(slow_here) for _ in range(3000)] == list(range(3000))
        for conduit in (slow_here, here):
            conduit.close()


async def a_receive_that_is_cancelled_loses_nothing(pair: Pair) -> None:
    async with anyio.create_task_group() as group, pair.conduit() as (here, there):
        group.start_soon(fill, there, [], "x" * 50_000)
        for number in range(200):
            for _ in range(2):
                with anyio.CancelScope() as scope:
                    scope.cancel()
                    await here.receive()
                    raise AssertionError("a receive that was cancelled came to its end")
            assert await number_of(here) == number


async def what_was_sent_before_the_end_can_be_read_after_it(pair: Pair) -> None:
    async with pair.conduit() as (here, there):
        for number in range(100):
            await there.send(number)
        there.close()
        await here.gone()
        assert [message async for message in drain(here)] == list(range(100))
        with pytest.raises(ChannelClosed):
            await here.send("late")


async def either_end_ends_it_for_whoever_waits(pair: Pair) -> None:
    for end in (0, 1):
        async with pair.conduit() as ends, anyio.create_task_group() as group:
            group.start_soon(ends[1 - end].gone)
            group.start_soon(fill, ends[1 - end], [])
            await anyio.sleep(0.01)
            ends[end].close()
    assert (len(pair.ours), len(pair.theirs)) == (0, 0)


async def a_node_that_is_lost_is_hung_up_on(pair: Pair) -> None:
    async with pair.conduit() as (here, there):
        pair.ours.hang_up("rome-3", "another one")
        assert not here.closed
        pair.ours.hang_up("rome-2", "rome-2 was removed")
        with pytest.raises(ChannelClosed, match="rome-2 was removed"):
            await here.receive()
        await there.gone()


async def a_conduit_is_opened_once(pair: Pair) -> None:
    with pair.ours.expect("rome-2") as expected:
        async with pair.theirs.open(pair.dialer(expected.id)) as first:
            await expected.conduit()
            async with pair.theirs.open(pair.dialer(expected.id)) as second:
                await second.gone()
            assert not first.closed


async def a_conduit_is_for_one_node_alone(pair: Pair) -> None:
    with pair.ours.expect("rome-3") as expected:
        async with pair.theirs.open(pair.dialer(expected.id)) as there:
            await there.gone()
    async with pair.theirs.open(pair.dialer("unheard of")) as there:
        await there.gone()


async def what_is_no_frame_ends_it(pair: Pair) -> None:
    message = b'\0\0\0\x02M "'
    for garbage in (b"\xff" * 10, b"\0\0\0\x01Z!", message, (MAX_MESSAGE + 5000).to_bytes(4, "big") + b"M"):
        async with pair.conduit() as (here, there):
            await there.channel.send(garbage)
            with pytest.raises(ChannelClosed, match="rome-2 sent what cannot be read"):
                await here.receive()


async def who_ignores_its_credit_is_cut_off(pair: Pair) -> None:
    async with pair.conduit() as (here, there):
        there._ahead = -(10**9)
        await fill(there, [], "x" * 100_000)
        assert "more than it has credit for" in here.closed


CONTRACT = (
    messages_go_both_ways_in_order,
    one_message_may_be_longer_than_the_window,
    who_reads_slowly_holds_up_its_own_writer_alone,
    a_receive_that_is_cancelled_loses_nothing,
    what_was_sent_before_the_end_can_be_read_after_it,
    either_end_ends_it_for_whoever_waits,
    a_node_that_is_lost_is_hung_up_on,
    a_conduit_is_opened_once,
    a_conduit_is_for_one_node_alone,
    what_is_no_frame_ends_it,
    who_ignores_its_credit_is_cut_off,
)
