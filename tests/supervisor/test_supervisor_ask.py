"""tell, offer, ask: what arrives, what is answered, and what nobody waits for any more."""

import anyio
import pytest

from supervisor.actor import Actor, Context, ReplyTo
from supervisor.address import Address
from supervisor.dead_letters import Reason
from supervisor.errors import (
    ActorCrashed,
    ActorStopped,
    AskTimeout,
    MailboxFull,
    NoSuchActor,
    Unreachable,
)
from supervisor.spec import ChildSpec
from tests.supervisor.build import Crash, Scribe, Sleep, StopYourself, handler, running, scribe, settle

pytestmark = pytest.mark.anyio


class Small(Scribe):
    mailbox_size = 2


async def test_messages_of_one_sender_arrive_in_order():
    journal: list[str] = []
    async with running(scribe("a", journal)) as system:
        for number in range(200):
            system.ref("a").tell(number)
        await settle()
    assert journal == ["+a", *(f"a:{number}" for number in range(200)), "-a"]


async def test_a_ref_by_path_address_or_text_is_the_same():
    async with running(scribe("a", [])) as system:
        refs = [system.ref("a"), system.ref("rome-1/a"), system.ref(Address("rome-1", "a"))]
        assert len(set(refs)) == 1
        for ref in refs:
            assert await ref.ask("x", timeout=1) == "x"


async def test_an_answer_may_come_later_and_counts_once():
    kept: list[ReplyTo] = []

    async def receive(message: object, ctx: Context) -> None:
        if message == "question":
            kept.append(ctx.reply_to)
        else:
            kept[0].send(message)
            kept[0].send("too late")
            ctx.reply("done")

    async with running(handler("a", receive)) as system, anyio.create_task_group() as group:

        async def ask() -> None:
            assert await system.ref("a").ask("question", timeout=5) == "first"

        group.start_soon(ask)
        await settle()
        assert await system.ref("a").ask("first", timeout=5) == "done"


async def test_a_reply_to_what_was_told_goes_nowhere():
    async def receive(message: object, ctx: Context) -> None:
        assert ctx.reply_to.deadline is None
        ctx.reply("nobody hears this")

    async with running(handler("a", receive)) as system:
        system.ref("a").tell("x")
        await settle()
        assert len(system.dead_letters) == 0


async def test_an_ask_ends_at_its_deadline():
    async def receive(message: object, ctx: Context) -> None:
        assert ctx.reply_to.deadline == pytest.approx(ctx.now() + 3, abs=1 / 64)

    async with running(handler("a", receive)) as system:
        begin = anyio.current_time()
        with pytest.raises(AskTimeout, match="rome-1/a did not answer str in time"):
            await system.ref("a").ask("x", timeout=3)
        assert anyio.current_time() - begin == pytest.approx(3, abs=1 / 64)


async def test_many_asks_with_many_deadlines_end_each_at_its_own():
    async def receive(message: object, ctx: Context) -> None:
        pass

    async with running(handler("a", receive)) as system, anyio.create_task_group() as group:

        async def ask(seconds: float) -> None:
            begin = anyio.current_time()
            with pytest.raises(AskTimeout):
                await system.ref("a").ask("x", timeout=seconds)
            assert anyio.current_time() - begin == pytest.approx(seconds, abs=1 / 64)

        for tenths in [30, 5, 20, 1, 30, 10, 2]:
            group.start_soon(ask, tenths / 10)


async def test_what_nobody_waits_for_is_not_done():
    journal: list[str] = []
    async with running(scribe("a", journal)) as system:
        system.ref("a").tell(Sleep(10))
        with pytest.raises(AskTimeout):
            await system.ref("a").ask("late", timeout=1)
        with anyio.move_on_after(1):
            await system.ref("a").ask("given up", timeout=60)
        await anyio.sleep(10)
        assert system.dead_letters.statistics().by_reason[Reason.EXPIRED] == 2
    assert journal == ["+a", "-a"]


async def test_asking_nobody_fails_at_once():
    async with running() as system:
        with pytest.raises(NoSuchActor):
            await system.ref("nobody").ask("x", timeout=1)
        system.ref("nobody").tell("x")
        await system.ref("nobody").offer("x")
        assert system.dead_letters.statistics().by_reason[Reason.NO_SUCH_ACTOR] == 3


async def test_a_full_mailbox_refuses():
    journal: list[str] = []
    async with running(ChildSpec("a", lambda: Small("a", journal))) as system:
        ref = system.ref("a")
        ref.tell(Sleep(1))
        await settle()
        for word in ("one", "two", "three"):
            ref.tell(word)
        with pytest.raises(MailboxFull):
            await ref.ask("four", timeout=1)
        assert [(letter.reason, letter.message) for letter in system.dead_letters.statistics().recent] == [
            (Reason.OVERFLOW, "three"),
            (Reason.OVERFLOW, "four"),
        ]
        await ref.offer("five")
        await settle()
    assert journal == ["+a", "a:one", "a:two", "a:five", "-a"]


async def test_a_crash_answers_everybody_who_waits():
    kept: list[ReplyTo] = []

    async def receive(message: object, ctx: Context) -> None:
        if message == "keep":
            kept.append(ctx.reply_to)
        else:
            await anyio.sleep(1)
            raise RuntimeError("bad luck")

    async with running(handler("a", receive)) as system:
        begin = anyio.current_time()
        async with anyio.create_task_group() as group:

            async def ask(message: str) -> None:
                with pytest.raises(ActorCrashed, match="RuntimeError: bad luck"):
                    await system.ref("a").ask(message, timeout=60)

            for message in ("keep", "crash", "waiting in the mailbox"):
                group.start_soon(ask, message)
                await settle()
        assert anyio.current_time() - begin == pytest.approx(1, abs=0.1)
        await settle()
        letters = system.dead_letters.statistics().recent
        assert [(letter.reason, letter.message) for letter in letters] == [(Reason.STOPPED, "waiting in the mailbox")]
        kept[0].send("nobody waits any more")


async def test_an_orderly_stop_answers_everybody_who_waits():
    async with running(scribe("a", [], restart="temporary")) as system, anyio.create_task_group() as group:

        async def ask() -> None:
            with pytest.raises(ActorStopped, match="normal") as failure:
                await system.ref("a").ask("x", timeout=60)
            assert not isinstance(failure.value, ActorCrashed)

        system.ref("a").tell(Sleep(1))
        system.ref("a").tell(StopYourself())
        group.start_soon(ask)


async def test_a_new_incarnation_starts_with_an_empty_mailbox():
    journal: list[str] = []
    async with running(scribe("a", journal)) as system:
        for message in (Crash(), "lost", "lost too"):
            system.ref("a").tell(message)
        await settle()
        assert await system.ref("a").ask("heard", timeout=1) == "heard"
    assert journal == ["+a", "+a", "a:heard", "-a"]


async def test_an_offer_to_an_actor_that_ends_is_a_dead_letter():
    async with running(ChildSpec("a", lambda: Small("a", []))) as system:
        ref = system.ref("a")
        ref.tell(Sleep(1))
        ref.tell(Crash())
        await settle()
        ref.tell("fills the mailbox")
        await ref.offer("waits in vain")
        await settle()
        assert [letter.message for letter in system.dead_letters.statistics().recent] == [
            "fills the mailbox",
            "waits in vain",
        ]


class Batcher(Actor):
    """Answers each question of a batch with the batch's size."""

    batch = 4

    async def receive_batch(self, envelopes, ctx):
        await anyio.sleep(1)
        for envelope in envelopes:
            envelope.reply_to.send(len(envelopes))


async def test_a_batch_takes_what_waits_up_to_its_size():
    sizes: list[int] = []
    async with running(ChildSpec("a", Batcher)) as system:

        async def ask() -> None:
            size = await system.ref("a").ask("x", timeout=60)
            assert isinstance(size, int)
            sizes.append(size)

        async with anyio.create_task_group() as group:
            for _ in range(6):
                group.start_soon(ask)
        assert system.inspect("a")[0].processed == 6
    # How many the first batch finds is the scheduler's to say; from then on they wait together.
    assert max(sizes) == 4
    assert all(sizes.count(size) % size == 0 for size in sizes)


class Router:
    """Stands for the other nodes."""

    def __init__(self) -> None:
        self.told: list[tuple[str, object]] = []

    def tell(self, address, message):
        self.told.append((str(address), message))

    async def offer(self, address, message):
        self.tell(address, message)

    async def ask(self, address, message, *, timeout):
        return f"{address} says {message} within {timeout}"

    def watch(self, watch):
        raise NotImplementedError

    def forget_watch(self, watch):
        raise NotImplementedError


async def test_other_nodes_are_reached_through_the_router():
    router = Router()
    async with running(router=router) as system:
        far = system.ref(Address("rome-2", "a"))
        far.tell("x")
        await far.offer("y")
        assert router.told == [("rome-2/a", "x"), ("rome-2/a", "y")]
        assert await far.ask("z", timeout=2) == "rome-2/a says z within 2"


async def test_without_a_router_other_nodes_are_unreachable():
    async with running() as system:
        far = system.ref(Address("rome-2", "a"))
        far.tell("x")
        with pytest.raises(Unreachable):
            await far.ask("x", timeout=1)
        assert system.dead_letters.statistics().by_reason[Reason.UNREACHABLE] == 2
