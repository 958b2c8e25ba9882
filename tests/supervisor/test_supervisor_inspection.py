"""What the live tree tells of itself, the dead letter office, and strict mode."""

from collections.abc import Mapping
from dataclasses import dataclass

import anyio
import pytest

from supervisor.actor import Context
from supervisor.address import Address
from supervisor.dead_letters import RECENT, DeadLetter, DeadLetterOffice, Reason
from supervisor.spec import ChildSpec, SupervisorSpec
from supervisor.system import System
from tests.supervisor.build import Crash, Scribe, Sleep, handler, running, scribe, settle
from transport.codec import Unencodable


class Talkative(Scribe):
    mailbox_size = 7

    def describe(self) -> Mapping[str, object]:
        return {"name": self.name}


@pytest.mark.anyio
async def test_the_tree_is_listed_depth_first_in_the_order_of_its_start():
    inner = SupervisorSpec(children=(scribe("b", []), scribe("c", [])))
    async with running(scribe("a", []), ChildSpec("inner", inner), scribe("d", [])) as system:
        tree = system.inspect()
        assert [str(info.address) for info in tree] == [
            "rome-1",
            "rome-1/a",
            "rome-1/inner",
            "rome-1/inner/b",
            "rome-1/inner/c",
            "rome-1/d",
        ]
        assert tree[0].children == ("a", "inner", "d")
        assert tree[2].children == ("b", "c")
        assert [info.address.path for info in system.inspect("inner")] == ["inner", "inner/b", "inner/c"]
        assert system.inspect("inn") == []


@pytest.mark.anyio
async def test_an_actor_tells_how_it_is():
    system = System("rome-1", clock=lambda: 1234.5)
    async with anyio.create_task_group() as group:
        await group.start(system.run, SupervisorSpec(children=(ChildSpec("a", lambda: Talkative("a", [])),)))
        system.ref("a").tell("x")
        system.ref("a").tell(Crash("ouch"))
        await settle()
        system.ref("a").tell("y")
        await settle()
        system.ref("a").tell(Sleep(1))
        await settle()
        system.ref("a").tell("waits")
        info = system.inspect("a")[0]
        assert (info.kind, info.state, info.restarts) == ("Talkative", "running", 1)
        assert (info.mailbox, info.capacity, info.processed) == (1, 7, 1)
        assert (info.last_failure, info.last_failure_at) == ("RuntimeError: ouch", 1234.5)
        assert (info.started_at, info.detail) == (1234.5, {"name": "a"})
        system.stop()


def test_the_office_counts_everything_and_keeps_the_newest():
    now = 0.0
    logged: list[tuple[DeadLetter, int]] = []
    office = DeadLetterOffice(lambda: now, lambda letter, unlogged: logged.append((letter, unlogged)))
    address = Address("rome-1", "a")
    for number in range(RECENT + 10):
        now = number / 100
        office.post(Reason.OVERFLOW, address, number)
    office.post(Reason.STOPPED, address, "last")
    seen = office.statistics()
    assert (seen.total, len(office)) == (RECENT + 11, RECENT + 11)
    assert (seen.by_reason[Reason.OVERFLOW], seen.by_reason[Reason.STOPPED]) == (RECENT + 10, 1)
    assert seen.by_reason[Reason.EXPIRED] == 0
    assert len(seen.recent) == RECENT
    assert seen.recent[-1] == DeadLetter(Reason.STOPPED, address, "last", now)
    assert [(letter.message, unlogged) for letter, unlogged in logged] == [(0, 0), (100, 99)]


def test_letters_that_keep_coming_are_logged_ever_more_seldom_until_there_is_peace():
    now, logged = 0.0, list[float]()
    office = DeadLetterOffice(lambda: now, lambda letter, unlogged: logged.append(letter.at))
    for second in (*range(200), 300, 301):
        now = float(second)
        office.post(Reason.UNREACHABLE, Address("rome-1", "a"), "hello")
    assert logged == [0, 1, 3, 7, 15, 31, 63, 127, 191, 300, 301]


def test_the_log_names_the_message_and_not_its_contents(caplog: pytest.LogCaptureFixture):
    DeadLetterOffice(lambda: 0.0).post(Reason.STOPPED, Address("rome-1", "a"), "the password")
    assert caplog.messages == ["rome-1/a did not get str: stopped"]


@dataclass(frozen=True, slots=True)
class Untagged:
    """No wire form."""


@pytest.mark.anyio
async def test_strict_mode_refuses_what_has_no_wire_form_loudly():
    async def receive(message: object, ctx: Context) -> None:
        ctx.reply(Untagged())

    async with running(handler("a", receive)) as system:
        ref = system.ref("a")
        with pytest.raises(Unencodable, match="Untagged has no tag"):
            ref.tell(Untagged())
        with pytest.raises(Unencodable):
            await ref.offer(Untagged())
        with pytest.raises(Unencodable):
            await ref.ask(Untagged(), timeout=1)
        with pytest.raises(Exception, match="Untagged has no tag"):
            await ref.ask("answer with no wire form", timeout=1)


@pytest.mark.anyio
async def test_strict_mode_shares_no_object_between_actors():
    received: list[object] = []

    async def receive(message: object, ctx: Context) -> None:
        received.append(message)
        ctx.reply(message)

    async with running(handler("a", receive)) as system:
        sent = {"list": [1]}
        answer = await system.ref("a").ask(sent, timeout=1)
        assert answer == sent == received[0]
        assert answer is not sent
        assert received[0] is not sent
        assert received[0] is not answer


@pytest.mark.anyio
async def test_messages_to_oneself_need_no_wire_form():
    received: list[object] = []

    async def job() -> Untagged:
        return Untagged()

    async def started(ctx: Context) -> None:
        ctx.timers.start("t", 1, Untagged())
        ctx.spawn("j", job)

    async def receive(message: object, ctx: Context) -> None:
        received.append(message)

    async with running(handler("a", receive, started)):
        await anyio.sleep(2)
    assert received == [Untagged(), Untagged()]


@pytest.mark.anyio
async def test_without_a_codec_messages_are_handed_over_as_they_are():
    async def receive(message: object, ctx: Context) -> None:
        ctx.reply(message)

    async with running(handler("a", receive), codec=None) as system:
        sent = Untagged()
        assert await system.ref("a").ask(sent, timeout=1) is sent
