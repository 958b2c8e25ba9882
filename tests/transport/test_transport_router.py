"""Messages between actors of two nodes: as between those of one."""

from dataclasses import dataclass

import anyio
import pytest

from supervisor.actor import Context
from supervisor.errors import ActorCrashed, ActorStopped, AskTimeout, MailboxFull, NoSuchActor, Unreachable
from supervisor.message import Terminated, message
from supervisor.spec import ChildSpec
from tests.supervisor.build import Crash, Handler, Scribe, Sleep, StopYourself, handler, scribe
from tests.transport.legion import node, pair
from transport.delivery import Limits
from transport.memory import MemoryNetwork

pytestmark = pytest.mark.anyio


@dataclass(frozen=True, slots=True)
class Untagged:
    """No message."""


@message("test.count/1")
@dataclass(frozen=True, slots=True)
class Count:
    number: int


class Small(Scribe):
    mailbox_size = 2


async def test_messages_arrive_in_order_and_as_they_were():
    seen: list[object] = []

    async def receive(message: object, ctx: Context) -> None:
        seen.append(message)

    sent = [value for number in range(500) for value in (Count(number), number, [number, None])]
    async with pair(MemoryNetwork(), theirs=(handler("a", receive),)) as (one, _):
        for value in sent:
            one.ref("rome-2/a").tell(value)
        await anyio.sleep(0.1)
    assert seen == sent


async def test_what_may_not_cross_the_border_reaches_nobody():
    seen: list[object] = []

    async def receive(message: object, ctx: Context) -> None:
        seen.append(message)

    def border(peer: str, path: str, message: object) -> str:
        return f"{peer} may not say {message} to {path}" if message == Count(13) else ""

    network = MemoryNetwork()
    async with network, node(network, "rome-1", handler("a", receive)) as one, node(network, "rome-2") as two:
        one.router.attend(one.events.append, border)
        await one.link("rome-2", dials=False)
        await two.link("rome-1", dials=True)
        await anyio.sleep(0.1)
        for number in (12, 13, 14):
            two.ref("rome-1/a").tell(Count(number))
        with pytest.raises(NoSuchActor):
            await two.ref("rome-1/a").ask(Count(13), timeout=1)
        assert seen == [Count(12), Count(14)]
        assert one.lost() == [("forbidden", "rome-1/a")] * 2


async def test_an_ask_is_answered_over_there_and_back():
    async with pair(MemoryNetwork(), (scribe("a", []),), (scribe("b", []),)) as (one, two):
        assert await one.ref("rome-2/b").ask(Count(1), timeout=1) == Count(1)
        assert await two.ref("rome-1/a").ask([1], timeout=1) == [1]
        assert await one.ref("rome-1/a").ask("at home", timeout=1) == "at home"


async def test_asks_fail_as_they_do_at_home():
    async with pair(MemoryNetwork(), theirs=(scribe("a", []), ChildSpec("s", lambda: Small("s", [])))) as (one, two):
        with pytest.raises(NoSuchActor, match=r"no actor lives at rome-2/nobody$"):
            await one.ref("rome-2/nobody").ask("x", timeout=1)
        one.ref("rome-2/a").tell(Sleep(5))
        began = anyio.current_time()
        with pytest.raises(AskTimeout, match="rome-2/a did not answer str in time"):
            await one.ref("rome-2/a").ask("x", timeout=2)
        assert anyio.current_time() - began == pytest.approx(2, abs=0.05)
        one.ref("rome-2/s").tell(Sleep(5))
        await anyio.sleep(0.1)
        for word in ("fills", "it"):
            one.ref("rome-2/s").tell(word)
        with pytest.raises(MailboxFull, match="rome-2/s is behind: 2 messages"):
            await one.ref("rome-2/s").ask("x", timeout=1)
        await anyio.sleep(5)
        with pytest.raises(ActorCrashed, match=r"rome-2/a ended before it answered: crashed$") as crash:
            await one.ref("rome-2/a").ask(Crash(), timeout=1)
        assert crash.value.address == one.ref("rome-2/a").address
        with pytest.raises(ActorStopped, match="normal") as stop:
            await one.ref("rome-2/a").ask(StopYourself(), timeout=1)
        assert type(stop.value) is ActorStopped
        with pytest.raises(Unreachable, match="rome-1 has no link to rome-9"):
            await one.ref("rome-9/a").ask("x", timeout=1)
        assert ("expired", "rome-2/a") in two.lost()


async def test_what_nobody_can_read_is_a_dead_letter_and_hurts_nobody():
    async with pair(MemoryNetwork(), theirs=(scribe("a", []),)) as (one, two):
        one.ref("rome-2/nobody").tell("x")
        one.ref("rome-2/a").tell(Untagged())
        await anyio.sleep(0.1)
        assert one.lost() == [("undecodable", "rome-2/a")]
        assert two.lost() == [("no_such_actor", "rome-2/nobody")]
        assert await one.ref("rome-2/a").ask("well", timeout=1) == "well"


async def test_a_message_of_another_release_is_a_dead_letter_and_an_ask_is_told_why(monkeypatch):
    async with pair(MemoryNetwork(), theirs=(scribe("a", []),)) as (one, two):
        monkeypatch.setattr(one.router._codec, "pack", lambda value: ("novel/1", b"{}"))
        one.ref("rome-2/a").tell("x")
        with pytest.raises(NoSuchActor, match="no message has the tag 'novel/1'"):
            await one.ref("rome-2/a").ask("x", timeout=1)
        assert two.lost() == [("undecodable", "rome-2/a")] * 2


async def test_a_full_mailbox_holds_up_nobody_else_and_slows_who_offers():
    journal: list[str] = []
    slow: list[str] = []
    limits = Limits(credit=3, queue=5)
    sent: list[int] = []
    theirs = (scribe("quick", journal), ChildSpec("slow", lambda: Small("slow", slow)))
    async with pair(MemoryNetwork(), theirs=theirs, limits=limits) as (one, two), anyio.create_task_group() as group:
        one.ref("rome-2/slow").tell(Sleep(60))
        await anyio.sleep(0.1)

        async def offer() -> None:
            for number in range(20):
                await one.ref("rome-2/slow").offer(number)
                sent.append(number)

        group.start_soon(offer)
        await anyio.sleep(10)
        assert len(sent) == Small.mailbox_size + limits.queue
        one.ref("rome-2/slow").tell("too much")
        assert one.lost() == [("overflow", "rome-2/slow")]
        for number in range(50):
            assert await one.ref("rome-2/quick").ask(number, timeout=1) == number
        assert [type(event).__name__ for event in one.events] == ["PeerUp"]
        await anyio.sleep(60)
        assert slow == ["+slow", *(f"slow:{number}" for number in range(20))]
        assert two.lost() == []


def watcher(target: str, seen: list[Terminated]) -> ChildSpec:
    """Watches `target` when told to."""

    async def receive(message: object, ctx: Context) -> None:
        match message:
            case Terminated():
                seen.append(message)
            case "watch":
                ctx.watch(ctx.ref(ctx.address.parse(target)))
            case "unwatch":
                ctx.unwatch(ctx.ref(ctx.address.parse(target)))

    return ChildSpec("w", lambda: Handler(receive))


async def test_an_end_over_there_is_told_once():
    seen: list[Terminated] = []
    async with pair(MemoryNetwork(), (watcher("rome-2/a", seen),), (scribe("a", []),)) as (one, two):
        for command in ("watch", "watch", "unwatch", "watch"):
            one.ref("rome-1/w").tell(command)
        await anyio.sleep(0.1)
        incarnation = two.system.inspect("a")[0].incarnation
        two.ref("rome-2/a").tell(Crash("ouch"))
        await anyio.sleep(0.1)
        two.ref("rome-2/a").tell(Crash("unseen"))
        await anyio.sleep(0.1)
        assert seen == [Terminated("rome-2/a", incarnation, "ended")], "why is no business of another node"


async def test_watching_nobody_is_told_at_once():
    for target, reason in [("rome-2/nobody", "no such actor"), ("rome-9/a", "rome-1 has no link to rome-9")]:
        seen: list[Terminated] = []
        async with pair(MemoryNetwork(), (watcher(target, seen),)) as (one, _):
            one.ref("rome-1/w").tell("watch")
            await anyio.sleep(0.1)
        assert seen == [Terminated(target, 0, reason)]


async def test_an_unwatched_end_is_not_told():
    seen: list[Terminated] = []
    async with pair(MemoryNetwork(), (watcher("rome-2/a", seen),), (scribe("a", []),)) as (one, two):
        one.ref("rome-1/w").tell("watch")
        await anyio.sleep(0.1)
        one.ref("rome-1/w").tell("unwatch")
        await anyio.sleep(0.1)
        cell = two.system.cell("a")
        assert cell is not None
        assert not cell.watchers
        two.ref("rome-2/a").tell(Crash())
        await anyio.sleep(0.1)
    assert seen == []
