import anyio
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from supervisor.mailbox import EMPTY, Mailbox
from tests.supervisor.build import settle


class MailboxMachine(RuleBasedStateMachine):
    """A mailbox beside two lists: what went in and did not come out is there, in order, once."""

    def __init__(self) -> None:
        super().__init__()
        self.mailbox: Mailbox[int] = Mailbox(3)
        self.user: list[int] = []
        self.system: list[int] = []
        self.refused = 0

    @rule(item=st.integers())
    def put(self, item: int) -> None:
        fits = not self.mailbox.closed and len(self.user) < 3
        assert self.mailbox.put(item) is fits
        if fits:
            self.user.append(item)
        elif not self.mailbox.closed:
            self.refused += 1

    @rule(item=st.integers())
    def put_reserved(self, item: int) -> None:
        assert self.mailbox.put_reserved(item) is not self.mailbox.closed
        if not self.mailbox.closed:
            self.user.append(item)

    @rule(item=st.integers())
    def put_system(self, item: int) -> None:
        assert self.mailbox.put_system(item) is not self.mailbox.closed
        if not self.mailbox.closed:
            self.system.append(item)

    @rule()
    def take(self) -> None:
        lane = self.system or self.user
        assert self.mailbox.take() == (lane.pop(0) if lane else EMPTY)

    @rule(limit=st.integers(0, 5))
    def drain(self, limit: int) -> None:
        assert self.mailbox.drain(limit) == self.user[:limit]
        del self.user[:limit]

    @precondition(lambda self: len(self.user) > 1)
    @rule()
    def close(self) -> None:
        assert self.mailbox.close() == self.user
        self.user, self.system = [], []

    @invariant()
    def statistics_agree(self) -> None:
        now = self.mailbox.statistics()
        assert (now.waiting, now.system, now.refused) == (len(self.user), len(self.system), self.refused)
        assert len(self.mailbox) == len(self.user)


TestMailboxMachine = MailboxMachine.TestCase


def test_a_capacity_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        Mailbox(0)


@pytest.mark.anyio
async def test_wait_ends_with_an_item_in_either_lane():
    mailbox: Mailbox[str] = Mailbox(1)
    for put in (mailbox.put, mailbox.put_system, mailbox.put_reserved):
        async with anyio.create_task_group() as group:
            group.start_soon(mailbox.wait)
            await settle()
            put("x")
        assert mailbox.take() == "x"


@pytest.mark.anyio
async def test_offers_wait_for_room_and_all_arrive():
    mailbox: Mailbox[int] = Mailbox(2)
    taken: list[object] = []
    async with anyio.create_task_group() as group:
        for number in range(10):
            group.start_soon(mailbox.offer, number)
        for _ in range(10):
            await settle()
            assert len(mailbox) <= 2
            taken.append(mailbox.take())
    assert sorted(taken, key=str) == list(range(10))


@pytest.mark.anyio
async def test_close_turns_waiting_offers_away():
    mailbox: Mailbox[int] = Mailbox(1)
    mailbox.put(1)
    outcomes: list[bool] = []

    async def offer(number: int) -> None:
        outcomes.append(await mailbox.offer(number))

    async with anyio.create_task_group() as group:
        group.start_soon(offer, 2)
        group.start_soon(offer, 3)
        await settle()
        assert mailbox.close() == [1]
    assert outcomes == [False, False]


@pytest.mark.anyio
async def test_a_cancelled_offer_has_put_nothing():
    mailbox: Mailbox[int] = Mailbox(1)
    mailbox.put(1)
    with anyio.move_on_after(1):
        await mailbox.offer(2)
    assert mailbox.close() == [1]
