"""What every kind of channel has to do, whatever network is under it. `connected` is the fixture of a pair of ends."""

import anyio
import pytest

from transport.channel import Channel, ChannelClosed


async def read(channel: Channel, count: int) -> bytes:
    got = bytearray()
    while len(got) < count:
        chunk = await channel.receive()
        assert chunk
        got += chunk
    return bytes(got)


numbers = b"".join(b"%d," % number for number in range(100))


async def bytes_go_both_ways_in_order(here: Channel, there: Channel) -> None:
    async def write(channel: Channel) -> None:
        for number in range(100):
            await channel.send(b"%d," % number)

    for end, other in ((here, there), (there, here)):
        async with anyio.create_task_group() as group:
            group.start_soon(write, end)
            assert await read(other, 290) == numbers


async def much_goes_both_ways_at_once(here: Channel, there: Channel) -> None:
    chunks = [bytes([number]) * 300_000 for number in range(20)]

    async def write(channel: Channel) -> None:
        for chunk in chunks:
            await channel.send(chunk)

    async def check(channel: Channel) -> None:
        assert await read(channel, 20 * 300_000) == b"".join(chunks)

    async with anyio.create_task_group() as group:
        for end in (here, there):
            group.start_soon(write, end)
            group.start_soon(check, end)


async def each_end_knows_the_other(here: Channel, there: Channel) -> None:
    assert here.peer.node == "rome-1"
    assert there.peer.node == "rome-2"


async def a_closed_end_is_closed_for_both(here: Channel, there: Channel) -> None:
    await there.send(b"last words")
    there.close()
    there.close()
    assert await read(here, 10) == b"last words"
    for end in (here, there):
        with pytest.raises(ChannelClosed):
            await end.receive()
        with pytest.raises(ChannelClosed):
            await end.send(b"x")


async def a_close_wakes_who_receives(here: Channel, there: Channel) -> None:
    async def wait(channel: Channel) -> None:
        with pytest.raises(ChannelClosed):
            await channel.receive()

    async with anyio.create_task_group() as group:
        group.start_soon(wait, here)
        group.start_soon(wait, there)
        await anyio.sleep(0.01)
        there.close()


async def a_close_wakes_who_sends(here: Channel, there: Channel) -> None:
    async def fill() -> None:
        with pytest.raises(ChannelClosed):  # noqa: PT012
            while True:
                await here.send(b"x" * 1_000_000)

    async with anyio.create_task_group() as group:
        group.start_soon(fill)
        await anyio.sleep(0.01)
        here.close()


CONTRACT = (
    bytes_go_both_ways_in_order,
    much_goes_both_ways_at_once,
    each_end_knows_the_other,
    a_closed_end_is_closed_for_both,
    a_close_wakes_who_receives,
    a_close_wakes_who_sends,
)
