"""Exactly once and in order between two lives of two nodes: what is to be sent, and what was received. Without I/O.

Each parcel has a number; the receiver acknowledges all up to one, and drops what it knows already. A message counts as
settled when it is in its actor's mailbox. One that finds the mailbox full waits at the receiver, and counts against the
credit of its path: what is told to that actor then waits at the sender, and delays nobody else. What waits is bounded
at both ends.

After a lost connection all that was not received is sent once more, under the same numbers. When the peer has begun a
new life both sides begin at number one, and what was not settled is handed back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from transport.frames import Ack, FrameError
from transport.parcel import Parcel

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be on its way to one peer, in parcels and in bytes. A parcel larger than a bound goes alone.

    `window` is sent and not received; `credit` is sent to one path and not in its mailbox, and what the receiver lets
    wait of it; `queue` is what may wait and be on its way to one path, `total` to all.
    """

    window: int = 32_768
    window_bytes: int = 512 * 1024
    credit: int = 4096
    credit_bytes: int = 2 * 1024 * 1024
    queue: int = 4096
    total: int = 100_000
    total_bytes: int = 64 * 1024 * 1024


class Lane:
    """What is on its way to one path: `used` of its credit, what waits for credit, and what waits at the receiver."""

    __slots__ = ("bytes", "held", "path", "used", "waiting")

    def __init__(self, path: str) -> None:
        self.path = path
        self.used = 0
        self.bytes = 0
        self.waiting: deque[Parcel] = deque()
        self.held: deque[Parcel] = deque()


class Outbox:
    """Parcels for one peer, in the order in which they were pushed for each path. Answers go before all that waits."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._begin()

    def _begin(self) -> None:
        self._lanes: dict[str, Lane] = {}
        self._holding: dict[str, Lane] = {}
        self._again: deque[Parcel] = deque()
        self._express: deque[Parcel] = deque()
        self._ready: deque[Parcel] = deque()
        self._sent: deque[Parcel] = deque()
        self._sent_bytes = 0
        self._base = 1
        self._next = 1
        self._count = 0
        self._bytes = 0

    def __len__(self) -> int:
        return self._count

    @property
    def sent(self) -> int:
        """How many are sent and not received."""
        return len(self._sent)

    @property
    def acknowledged(self) -> int:
        """The number of the last parcel that the peer has received."""
        return self._base - 1

    def has_room(self, path: str) -> bool:
        """Whether a parcel for that path would be taken."""
        lane, limits = self._lanes.get(path), self.limits
        waits = 0 if lane is None else lane.used + len(lane.waiting)
        return waits < limits.queue and self._count < limits.total and self._bytes < limits.total_bytes

    def push(self, parcel: Parcel) -> bool:
        """Take a parcel. Returns False where there is no room; for what needs no mailbox there always is."""
        # The hot path: most of what a message costs here and in `Router.tell` is the number of calls.
        path, limits = parcel.path, self.limits
        if path:
            lane = self._lanes.get(path)
            waits = 0 if lane is None else lane.used + len(lane.waiting)
            if waits >= limits.queue or self._count >= limits.total or self._bytes >= limits.total_bytes:
                return False
            if lane is None:
                lane = self._lanes[path] = Lane(path)
            parcel.lane = lane
            if lane.waiting or not self._has_credit(lane, parcel):
                lane.waiting.append(parcel)
            else:
                lane.used += 1
                lane.bytes += parcel.size
                self._ready.append(parcel)
        elif parcel.express:
            self._express.append(parcel)
        else:
            self._ready.append(parcel)
        self._count += 1
        self._bytes += parcel.size
        return True

    def take(self, most: int, most_bytes: int) -> tuple[int, list[Parcel]]:
        """Return the next parcels to be sent and the first one's number; none where none may be sent now."""
        first = self._base + len(self._sent)
        room = min(most, self.limits.window - len(self._sent))
        room_bytes = self.limits.window_bytes - self._sent_bytes
        batch: list[Parcel] = []
        size = 0
        for queue in (self._again, self._express, self._ready):
            while queue and len(batch) < room and size < most_bytes:
                if size + queue[0].size > room_bytes and (batch or self._sent):
                    break
                size += queue[0].size
                batch.append(queue.popleft())
            if queue:  # what is sent again keeps its numbers: nothing may come before it
                break
        self._sent.extend(batch)
        self._sent_bytes += size
        self._next = max(self._next, first + len(batch))
        return first, batch

    def acknowledge(self, ack: Ack) -> None:
        """Forget what is settled, and let go what waited for its credit. Raises FrameError for what was never sent."""
        news = ack.received - self._base + 1
        if ack.received >= self._next or any(count < 0 for count in ack.held.values()):
            raise FrameError(f"{ack} acknowledges what was not sent: the last was {self._next - 1}")
        if news < 0:
            return  # overtaken by a later one
        while len(self._sent) < news:  # it had arrived, and was about to be sent once more
            self._sent.append(self._again.popleft())
            self._sent_bytes += self._sent[-1].size
        held, sent = ack.held, self._sent
        for _ in range(news):
            parcel = sent.popleft()
            lane = parcel.lane
            self._sent_bytes -= parcel.size
            if lane is not None and (lane.held or parcel.path in held):
                lane.held.append(parcel)
                self._holding[parcel.path] = lane
                continue
            self._count -= 1
            self._bytes -= parcel.size
            if lane is not None:
                self._settle(lane, parcel)
        self._base += news
        for lane in list(self._holding.values()):
            self._release(lane, ack.held.get(lane.path, 0))

    def rewind(self) -> None:
        """Send all that is not received once more."""
        self._again.extendleft(reversed(self._sent))
        self._sent.clear()
        self._sent_bytes = 0

    def reset(self) -> list[Parcel]:
        """Begin at number one, for another life of the peer. Returns what was not settled."""
        held = [parcel for lane in self._holding.values() for parcel in lane.held]
        waiting = [parcel for lane in self._lanes.values() for parcel in lane.waiting]
        left = [*held, *self._sent, *self._again, *self._express, *self._ready, *waiting]
        self._begin()
        return left

    def _has_credit(self, lane: Lane, parcel: Parcel) -> bool:
        limits = self.limits
        return lane.used < limits.credit and (lane.bytes + parcel.size <= limits.credit_bytes or not lane.used)

    def _release(self, lane: Lane, still: int) -> None:
        while len(lane.held) > still:
            parcel = lane.held.popleft()
            self._count -= 1
            self._bytes -= parcel.size
            self._settle(lane, parcel)
        if not lane.held:
            del self._holding[lane.path]

    def _settle(self, lane: Lane, parcel: Parcel) -> None:
        lane.used -= 1
        lane.bytes -= parcel.size
        while lane.waiting and self._has_credit(lane, lane.waiting[0]):
            parcel = lane.waiting.popleft()
            lane.used += 1
            lane.bytes += parcel.size
            self._ready.append(parcel)
        if not lane.used:
            del self._lanes[lane.path]


class Inbox(Generic[T]):
    """What was received from one peer, and what of it waits for room in a mailbox, by path."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.received = 0
        self.ack_due = False
        self._parked: dict[str, deque[T]] = {}
        self._gap = False
        self._gap_told = -1

    @property
    def parked(self) -> Mapping[str, deque[T]]:
        """What waits, oldest first. Take from it by `unpark`."""
        return self._parked

    def arrive(self, first: int, count: int) -> int:
        """Take a batch of so many, and return how many at its beginning are not to be delivered."""
        self.ack_due = True
        if first > self.received + 1:
            # Once for each place: the batches that were under way behind the lost one all show the same gap.
            self._gap = self._gap_told != self.received
            return count
        known = min(self.received + 1 - first, count)
        self.received = max(self.received, first + count - 1)
        return known

    def park(self, path: str, item: T) -> None:
        """Keep what found the mailbox full. Raises FrameError where the peer has sent more than its credit."""
        waiting = self._parked.setdefault(path, deque())
        if len(waiting) >= self.limits.credit:
            raise FrameError(f"more than {self.limits.credit} messages to {path} wait: the peer ignores its credit")
        waiting.append(item)

    def unpark(self, path: str) -> T:
        """Take the oldest that waits for that path."""
        self.ack_due = True
        waiting = self._parked[path]
        item = waiting.popleft()
        if not waiting:
            del self._parked[path]
        return item

    def ack(self) -> Ack:
        """Return what to tell the peer. It is not due any more."""
        ack = Ack(self.received, {path: len(waiting) for path, waiting in self._parked.items()}, self._gap)
        if self._gap:
            self._gap, self._gap_told = False, self.received
        self.ack_due = False
        return ack

    def reset(self) -> dict[str, deque[T]]:
        """Begin at number one, for another life of the peer. Returns what waited."""
        parked = self._parked
        self.received = 0
        self.ack_due = False
        self._parked = {}
        self._gap, self._gap_told = False, -1
        return parked
