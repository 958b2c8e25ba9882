"""Delivery without I/O: exactly once and in order for each path, whatever the network does."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from transport.delivery import Inbox, Limits, Outbox
from transport.frames import Ack, FrameError
from transport.parcel import Parcel, answer, note

SMALL = Limits(
    window=6, window_bytes=10_000, credit=3, credit_bytes=10_000, queue=5, total=12, total_bytes=10_000
)  # fmt: skip
PATHS = ("a", "b", "c")
MAILBOX = 2


def tell(path: str, body: bytes = b"x") -> Parcel:
    return Parcel(path, "", body)


class Peer:
    """One life of a receiver: an inbox, and a small mailbox for each path."""

    def __init__(self) -> None:
        self.inbox: Inbox[Parcel] = Inbox(SMALL)
        self.mailboxes: dict[str, list[Parcel]] = {path: [] for path in PATHS}
        self.handled: dict[str, list[Parcel]] = {path: [] for path in (*PATHS, "", "express")}

    def arrive(self, first: int, parcels: list[Parcel]) -> None:
        known = self.inbox.arrive(first, len(parcels))
        for parcel in parcels[known:]:
            if not parcel.path:
                self.handled["express" if parcel.express else ""].append(parcel)
            elif parcel.path in self.inbox.parked or len(self.mailboxes[parcel.path]) == MAILBOX:
                self.inbox.park(parcel.path, parcel)
            else:
                self.mailboxes[parcel.path].append(parcel)

    def handle(self, path: str) -> None:
        if self.mailboxes[path]:
            self.handled[path].append(self.mailboxes[path].pop(0))
        if path in self.inbox.parked:
            self.mailboxes[path].append(self.inbox.unpark(path))

    def reached(self, path: str) -> list[Parcel]:
        return self.handled[path] + self.mailboxes.get(path, [])


class Delivery(RuleBasedStateMachine):
    """A sender, a receiver that may be slow or begin a new life, and a network that does what it likes."""

    @initialize()
    def begin(self) -> None:
        self.outbox = Outbox(SMALL)
        self.peer = Peer()
        self.taken: dict[str, list[Parcel]] = {path: [] for path in (*PATHS, "", "express")}
        self.batches: list[tuple[int, list[Parcel]]] = []
        self.acks: list[Ack] = []

    @rule(path=st.sampled_from(PATHS), size=st.integers(1, 3_000))
    def push(self, path: str, size: int) -> None:
        parcel = tell(path, b"x" * size)
        room = self.outbox.has_room(path)
        assert self.outbox.push(parcel) is room
        if room:
            self.taken[path].append(parcel)

    @rule()
    def push_note(self) -> None:
        parcel = note("u", 1)
        assert self.outbox.push(parcel)
        self.taken[""].append(parcel)

    @rule()
    def push_answer(self) -> None:
        parcel = answer(1, "", b"x")
        assert self.outbox.push(parcel)
        self.taken["express"].append(parcel)

    @rule(most=st.integers(1, 4))
    def send(self, most: int) -> None:
        first, parcels = self.outbox.take(most, 5_000)
        if parcels:
            self.batches.append((first, parcels))

    @precondition(lambda self: self.batches)
    @rule(data=st.data(), keep=st.booleans())
    def batch_arrives(self, data: st.DataObject, keep: bool) -> None:
        place = data.draw(st.integers(0, len(self.batches) - 1))
        batch = self.batches[place] if keep else self.batches.pop(place)
        self.peer.arrive(*batch)

    @precondition(lambda self: self.batches)
    @rule()
    def batch_is_lost(self) -> None:
        self.batches.pop(0)

    @rule()
    def acknowledge(self) -> None:
        self.acks.append(self.peer.inbox.ack())

    @precondition(lambda self: self.acks)
    @rule(data=st.data(), keep=st.booleans())
    def ack_arrives(self, data: st.DataObject, keep: bool) -> None:
        place = data.draw(st.integers(0, len(self.acks) - 1))
        ack = self.acks[place] if keep else self.acks.pop(place)
        self.outbox.acknowledge(ack)
        if ack.gap:
            self.outbox.rewind()

    @precondition(lambda self: self.acks)
    @rule()
    def ack_is_lost(self) -> None:
        self.acks.pop(0)

    @rule(path=st.sampled_from(PATHS))
    def actor_handles(self, path: str) -> None:
        self.peer.handle(path)

    @rule()
    def no_ack_for_long(self) -> None:
        self.outbox.rewind()

    @rule()
    def reconnect(self) -> None:
        self.batches.clear()
        self.acks.clear()
        self.outbox.acknowledge(self.peer.inbox.ack())
        self.outbox.rewind()

    @rule()
    def peer_restarts(self) -> None:
        self.batches.clear()
        self.acks.clear()
        left = self.outbox.reset()
        for path in self.taken:
            # What reached a mailbox may be handed back, unacknowledged as it is; nothing else is missing.
            reached = self.peer.reached(path)
            unsettled = [parcel for parcel in left if (parcel.path or "express" * parcel.express) == path]
            overlap = len(reached) + len(unsettled) - len(self.taken[path])
            assert overlap >= 0
            assert self.taken[path] == reached + unsettled[overlap:]
            self.taken[path] = []
        self.peer = Peer()

    @invariant()
    def in_order_and_at_most_once(self) -> None:
        for path in self.taken:
            reached = self.peer.reached(path)
            assert reached == self.taken[path][: len(reached)]

    @invariant()
    def within_bounds(self) -> None:
        assert self.outbox.sent <= SMALL.window
        assert all(len(waiting) <= SMALL.credit for waiting in self.peer.inbox.parked.values())

    def teardown(self) -> None:
        if not hasattr(self, "outbox"):
            return
        self.reconnect()
        for _ in range(200):
            while (batch := self.outbox.take(10, 10_000))[1]:
                self.peer.arrive(*batch)
            for path in PATHS:
                self.peer.handle(path)
            self.outbox.acknowledge(self.peer.inbox.ack())
        assert len(self.outbox) == 0
        assert self.outbox.has_room("a")
        assert {path: self.peer.reached(path) for path in self.taken} == self.taken


TestDelivery = Delivery.TestCase
TestDelivery.settings = settings(max_examples=200, stateful_step_count=50)


def test_a_full_mailbox_holds_up_what_is_for_it_and_nothing_else():
    outbox, peer = Outbox(SMALL), Peer()
    for _ in range(5):
        assert outbox.push(tell("a"))
    assert not outbox.push(tell("a"))
    for _ in range(5):
        peer.arrive(*outbox.take(10, 10_000))
        outbox.acknowledge(peer.inbox.ack())
    assert len(peer.mailboxes["a"]) == MAILBOX
    assert len(peer.inbox.parked["a"]) == SMALL.credit
    for _ in range(5):
        assert outbox.push(tell("b"))
        peer.arrive(*outbox.take(10, 10_000))
        outbox.acknowledge(peer.inbox.ack())
        peer.handle("b")
    assert len(peer.handled["b"]) == 5


def test_a_parcel_larger_than_every_bound_goes_alone():
    outbox = Outbox(SMALL)
    assert outbox.push(tell("a", b"x" * 9_000))
    assert outbox.push(tell("b", b"x" * 20_000))
    assert not outbox.push(tell("c"))
    assert [len(outbox.take(10, 99_999)[1]) for _ in range(2)] == [1, 0]
    outbox.acknowledge(Ack(1))
    assert [len(outbox.take(10, 99_999)[1]) for _ in range(2)] == [1, 0]


def test_a_gap_is_told_once_for_each_place():
    inbox: Inbox[Parcel] = Inbox(SMALL)
    assert inbox.arrive(2, 1) == 1
    assert inbox.ack() == Ack(0, {}, gap=True)
    inbox.arrive(3, 1)
    assert inbox.ack() == Ack(0, {}, gap=False)
    assert inbox.arrive(1, 2) == 0
    inbox.arrive(4, 1)
    assert inbox.ack() == Ack(2, {}, gap=True)


@pytest.mark.parametrize("ack", [Ack(2), Ack(1, {"a": -1})])
def test_an_acknowledgement_of_what_was_not_sent_is_refused(ack: Ack):
    outbox = Outbox(SMALL)
    outbox.push(tell("a"))
    outbox.take(10, 10_000)
    with pytest.raises(FrameError, match="the last was 1"):
        outbox.acknowledge(ack)


def test_a_peer_that_ignores_its_credit_is_refused():
    inbox: Inbox[Parcel] = Inbox(SMALL)
    for _ in range(SMALL.credit):
        inbox.park("a", tell("a"))
    with pytest.raises(FrameError, match="ignores its credit"):
        inbox.park("a", tell("a"))
