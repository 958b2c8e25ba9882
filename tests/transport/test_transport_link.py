"""What becomes of messages, asks and watches when lines break, nodes fall silent or begin another life."""

from contextlib import AsyncExitStack
from random import Random

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor.actor import Context
from supervisor.errors import Unreachable
from supervisor.message import Terminated
from tests.sim.scheduling import run_seeded
from tests.supervisor.build import handler, scribe
from tests.transport.legion import Node, node, pair
from tests.transport.test_transport_router import watcher
from transport.backoff import MOST, pause
from transport.channel import Channel, ChannelClosed
from transport.detector import Rhythm
from transport.events import PeerDown, PeerRestarted, PeerSuspect, PeerUp
from transport.frames import Bye, FrameReader, Hello, encode
from transport.hello import Local
from transport.memory import Faults, MemoryNetwork

# Faults may cost some connections in a row, which are no reason to give a peer up here.
PATIENT = Rhythm(beat=1, suspect=3, timeout=60)


def kinds(one: Node) -> list[str]:
    return [type(event).__name__ for event in one.events]


@pytest.mark.anyio
async def test_a_broken_line_is_made_anew_and_nothing_is_lost():
    network, journal = MemoryNetwork(), list[str]()
    async with pair(network, theirs=(scribe("a", journal),)) as (one, two):
        for number in range(100):
            one.ref("rome-2/a").tell(number)
            if number % 10 == 0:
                network.cut("rome-1", "rome-2")
                await anyio.sleep(0.02)
        await anyio.sleep(1)
        assert journal == ["+a", *(f"a:{number}" for number in range(100))]
        assert kinds(one) == kinds(two) == ["PeerUp"]


@pytest.mark.anyio
async def test_a_silent_peer_is_suspect_then_down_then_up_again():
    network, seen, journal = MemoryNetwork(), list[Terminated](), list[str]()
    async with pair(network, (watcher("rome-2/a", seen),), (scribe("a", journal),)) as (one, two):
        one.ref("rome-1/w").tell("watch")
        await anyio.sleep(0.5)
        network.part("rome-1", "rome-2")
        one.ref("rome-2/a").tell("kept")
        with pytest.raises(Unreachable, match="nothing was heard of rome-2 for 5 s"):
            await one.ref("rome-2/a").ask("x", timeout=60)
        assert kinds(one) == ["PeerUp", "PeerSuspect", "PeerDown"]
        await anyio.sleep(0.1)
        [notice] = seen
        assert (notice.address, notice.incarnation) == ("rome-2/a", 0)
        one.ref("rome-2/a").tell("refused")
        with pytest.raises(Unreachable):
            await one.ref("rome-2/a").ask("x", timeout=60)
        assert one.lost() == [("unreachable", "rome-2/a")] * 2
        await anyio.sleep(30)
        network.join("rome-1", "rome-2")
        await anyio.sleep(6)
        assert kinds(one) == kinds(two) == ["PeerUp", "PeerSuspect", "PeerDown", "PeerUp"]
        assert await one.ref("rome-2/a").ask("hello", timeout=1) == "hello"
        assert [entry for entry in journal if entry != "a:x"] == ["+a", "a:kept", "a:hello"]
        cell = two.system.cell("a")
        assert cell is not None
        assert not cell.watchers
        assert len(seen) == 1


@pytest.mark.anyio
async def test_another_life_of_the_peer_is_told_and_begins_anew():
    network, seen = MemoryNetwork(), list[Terminated]()
    async with network, node(network, "rome-1", watcher("rome-2/a", seen)) as one:
        await one.link("rome-2", dials=False)
        for boot in ("b1", "b2"):
            journal: list[str] = []
            async with node(network, "rome-2", scribe("a", journal), boot=boot) as two:
                await two.link("rome-1", dials=True)
                await anyio.sleep(0.2)
                one.ref("rome-1/w").tell("watch")
                assert await one.ref("rome-2/a").ask(boot, timeout=1) == boot
                network.hang_up("rome-2")
                one.ref("rome-2/a").tell("lost")
            assert journal == ["+a", f"a:{boot}", "-a"]
        assert kinds(one)[:3] == ["PeerUp", "PeerRestarted", "PeerUp"]
        assert one.events[1] == PeerRestarted("rome-2", "b2.1")
        assert one.lost()[0] == ("unreachable", "rome-2/a")
        await anyio.sleep(16)
        assert [notice.reason[:20] for notice in seen] == ["rome-2 has restarted", "nothing was heard of"]


@pytest.mark.anyio
@pytest.mark.parametrize(("ends", "down"), [("process", 15.0), ("line", 5.0)])
async def test_a_process_that_ended_is_waited_for_longer_than_a_line_that_is_silent(ends: str, down: float):
    network = MemoryNetwork()
    async with network, node(network, "rome-1") as one, node(network, "rome-2") as two:
        await one.link("rome-2", dials=False)
        await two.link("rome-1", dials=True)
        await anyio.sleep(0.1)
        if ends == "line":
            network.part("rome-1", "rome-2")
        network.hang_up("rome-2")
        two.system.stop()
        await anyio.sleep(down - 2)
        assert not one.said(PeerDown)
        await anyio.sleep(3)
        assert len(one.said(PeerDown)) == 1


@pytest.mark.anyio
async def test_who_stops_in_order_says_so():
    network = MemoryNetwork()
    async with pair(network) as (one, two):
        await two.system.stop_child("links/rome-1")
        await anyio.sleep(0.1)
        assert one.events[-1] == PeerDown("rome-2", "rome-2 says: rome-2 stops", left=True)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("local", "reason"),
    [
        (Local("rome-2", "b1", "other"), "rome-2 belongs to the cluster other and rome-1 to legion"),
        (Local("rome-3", "b1", "legion"), "rome-2 says that it is rome-3: a node speaks for itself alone"),
        (Local("rome-2", "b1", "legion", 0, 0), "rome-2 speaks protocol 0 and rome-1 1: upgrade gbnt on rome-2"),
        (Local("rome-2", "b1", "legion", 2, 4), "rome-2 speaks protocol 2 to 4 and rome-1 1: upgrade gbnt on rome-1"),
    ],
)
async def test_who_cannot_be_talked_to_is_refused_in_words(local: Local, reason: str):
    network = MemoryNetwork()
    async with network, node(network, "rome-1") as one, node(network, "rome-2", local=local) as two:
        await one.link("rome-2", dials=False)
        await two.link("rome-1", dials=True)
        await anyio.sleep(3)
        [down] = one.said(PeerDown)
        assert isinstance(down, PeerDown)
        assert down.reason.startswith(reason)
        assert one.said(PeerUp) == []
        assert len(two.said(PeerDown)) >= 1


@pytest.mark.anyio
async def test_a_stranger_and_one_that_was_removed_are_told_to_join():
    network = MemoryNetwork()
    async with pair(network) as (one, two):
        await one.system.stop_child("links/rome-2")
        one.router.forget("rome-2")
        await anyio.sleep(3)
        reason = "rome-1 says: rome-1 knows no node rome-2: let it join (again)"
        assert two.events[-1] == PeerDown("rome-1", reason)
        with pytest.raises(ValueError, match="is this node"):
            one.router.link("rome-1")
        await one.link("rome-2", dials=False)
        with pytest.raises(ValueError, match="forget it first"):
            one.router.link("rome-2")
        await anyio.sleep(6)
        assert kinds(two)[-2:] == ["PeerRestarted", "PeerUp"]


@pytest.mark.anyio
@pytest.mark.parametrize("boot", ["b2", "b1"], ids=["its disk", "its memory, too"])
async def test_a_copy_of_a_machine_is_not_let_in_beside_it_and_both_sides_say_what_to_do(
    boot: str, caplog: pytest.LogCaptureFixture
):
    network, journal = MemoryNetwork(), list[str]()
    async with network, node(network, "rome-1") as one:
        await one.link("rome-2", dials=False)
        async with node(network, "rome-2", boot=boot) as copy:
            async with node(network, "rome-2", scribe("a", journal)) as two:
                await two.link("rome-1", dials=True)
                await anyio.sleep(0.1)
                await copy.link("rome-1", dials=True)
                await anyio.sleep(30)
                assert kinds(one) == kinds(two) == ["PeerUp"]
                assert await one.ref("rome-2/a").ask("still there", timeout=1) == "still there"
                [down] = copy.events
                assert isinstance(down, PeerDown)
                assert "two machines have the identity of node rome-2" in down.reason
                assert "`sudo gbnt reset` on the copy" in str(copy.system.inspect("links/rome-1")[0].detail["trouble"])
                assert "two machines have the identity of node rome-2" in caplog.text
            await anyio.sleep(10)
            assert kinds(copy) == ["PeerDown", "PeerUp"], "who is alone is let in"


@pytest.mark.anyio
async def test_a_machine_that_lost_its_power_and_is_back_at_once_is_no_copy():
    network = MemoryNetwork()
    async with network, node(network, "rome-1") as one, node(network, "rome-2", boot="b2") as two:
        await one.link("rome-2", dials=False)
        async with network.dialer("rome-2", "rome-1")() as channel:
            await channel.send(encode(Hello("rome-2", "b1", "legion", 1, 1)))
            await anyio.sleep(0.5)
            await two.link("rome-1", dials=True)
            await anyio.sleep(2)
            assert kinds(one) == ["PeerUp", "PeerRestarted", "PeerUp"]
            assert kinds(two) == ["PeerUp"]


@pytest.mark.anyio
async def test_who_has_nothing_to_say_stays_up():
    network = MemoryNetwork()
    async with pair(network) as (one, _):
        [info] = one.system.inspect("links/rome-2")
        assert info.detail["health"] == "up"
        assert info.detail["connected"] is True
        await anyio.sleep(30)
        assert kinds(one) == ["PeerUp"]
        assert one.said(PeerSuspect) == []


async def everything(channel: Channel) -> bytes:
    said = b""
    try:
        while True:
            said += await channel.receive()
    except ChannelClosed:
        return said


@pytest.mark.anyio
@pytest.mark.parametrize("garbage", [b"\xff" * 64, b"\0\0\0\0Z", b"\0\0\0\x04D....", b"GET / HTTP/1.1\r\n\r\n"])
async def test_a_peer_that_sends_garbage_is_told_so_and_others_are_served(garbage: bytes):
    network = MemoryNetwork()
    async with pair(network, (scribe("a", []),)) as (one, two):
        await one.link("rome-3", dials=False)
        async with network.dialer("rome-3", "rome-1")() as channel:
            await channel.send(garbage)
            bye = list(FrameReader().feed(await everything(channel)))[-1]
        assert isinstance(bye, Bye)
        assert bye.reason
        assert await two.ref("rome-1/a").ask("well", timeout=1) == "well"


def test_no_frames_of_a_peer_do_more_than_close_its_link():
    good = [encode(Hello("rome-3", "b", "legion", 1, 1)), b"\0\0\0\0B", b"\0\0\0\x0e" + b"D\0\0\0\x04[1,[]]"]

    @given(st.lists(st.sampled_from(good) | st.binary(max_size=30), max_size=6), st.integers(0, 2**16))
    @settings(max_examples=40)
    def attack(chunks: list[bytes], seed: int) -> None:
        run_seeded(seed, _attack, chunks)

    attack()


async def _attack(chunks: list[bytes]) -> None:
    network = MemoryNetwork()
    async with pair(network, (scribe("a", []),)) as (one, two):
        await one.link("rome-3", dials=False)
        try:
            async with network.dialer("rome-3", "rome-1")() as channel:
                for chunk in chunks:
                    await channel.send(chunk)
                await anyio.sleep(1)
        except ChannelClosed:
            pass
        assert await two.ref("rome-1/a").ask("well", timeout=1) == "well"
        assert one.system.inspect("links/rome-3")[0].restarts == 0


@pytest.mark.parametrize("seed", range(12))
def test_once_and_in_order_through_every_fault(seed: int):
    run_seeded(seed, _through_faults, seed)


async def _through_faults(seed: int) -> None:
    random = Random(seed)
    network = MemoryNetwork(seed, Faults(drop=0.1, duplicate=0.1, reorder=0.1, delay=(0, 0.2)))
    names = [f"rome-{number}" for number in range(1, 6)]
    seen: dict[str, list[list[object]]] = {name: [] for name in names}

    def keeper(name: str):
        async def receive(message: object, ctx: Context) -> None:
            assert isinstance(message, list)
            seen[name].append(message)

        return handler("a", receive)

    async with network, AsyncExitStack() as stack:
        nodes = [await stack.enter_async_context(node(network, name, keeper(name), rhythm=PATIENT)) for name in names]
        for one in nodes[1:]:
            await nodes[0].link(one.name, dials=False)
            await one.link("rome-1", dials=True)
        for number in range(60):
            for one in nodes[1:]:
                nodes[0].ref(f"{one.name}/a").tell(["rome-1", number])
                one.ref("rome-1/a").tell([one.name, number])
            if random.random() < 0.1:
                network.cut(random.choice(names))
            await anyio.sleep(random.random() / 10)
        network.faults = Faults()
        await anyio.sleep(60)
        assert all(one.lost() == [] for one in nodes)
    for name in names:
        for sender in names:
            told = [number for who, number in seen[name] if who == sender]
            assert told in ([], list(range(60))), (name, sender)
    assert len(seen["rome-1"]) == 4 * 60


def test_the_pause_between_attempts_grows_to_its_bound_and_differs():
    pauses = [pause(failures, Random(1)) for failures in range(20)]
    assert pauses == sorted(pauses)
    assert MOST / 2 <= pauses[-1] <= MOST
    assert len({pause(5, Random(seed)) for seed in range(10)}) == 10
