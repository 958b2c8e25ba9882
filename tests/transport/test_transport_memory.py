"""The network in memory: what goes wrong in it follows from its seed, and nothing else goes wrong."""

import anyio
import pytest

from transport.channel import Channel
from transport.memory import Faults, MemoryNetwork

pytestmark = pytest.mark.anyio

SENT = [b"%d" % number for number in range(40)]


async def carried(seed: int, faults: Faults) -> list[bytes]:
    """What arrives of SENT, in order, when the sender closes after the last one."""
    arrived: list[bytes] = []
    over = anyio.Event()

    async def accept(channel: Channel) -> None:
        with anyio.move_on_after(5):
            while True:
                arrived.append(await channel.receive())
        over.set()

    async with MemoryNetwork(seed, faults) as network:
        network.listen("rome-1", accept)
        async with network.dialer("rome-2", "rome-1")() as channel:
            for chunk in SENT:
                await channel.send(chunk)
            await over.wait()
    return arrived


async def test_chunks_overtake_each_other_and_none_is_lost_or_doubled():
    arrived = await carried(1, Faults(reorder=0.3, delay=(0.1, 0.2)))
    assert arrived != SENT
    assert sorted(arrived) == sorted(SENT)


async def test_a_chunk_is_lost_or_doubled_as_a_whole():
    arrived = await carried(1, Faults(drop=0.2, duplicate=0.2, delay=(0.1, 0.2)))
    assert set(arrived) < set(SENT)
    assert len(arrived) > len(set(arrived))
    assert arrived == sorted(arrived, key=int)


async def test_without_faults_all_arrive_in_order():
    assert await carried(1, Faults()) == SENT


async def test_a_seed_makes_the_same_faults_again():
    faults = Faults(drop=0.1, duplicate=0.1, reorder=0.1, delay=(0.0, 0.2))
    assert await carried(7, faults) == await carried(7, faults) != await carried(8, faults)
