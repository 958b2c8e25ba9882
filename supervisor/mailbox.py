"""A mailbox: what waits to be handled by one incarnation of an actor.

Two lanes. The user lane is bounded; the system lane carries what the runtime itself has to say and is always read
first, so that a full mailbox never delays a stop. `put` is synchronous and `close` atomic: no message is lost between
the question whether the mailbox is open and the putting.

It is a deque with one event that exists only while somebody sleeps. An anyio memory stream, which hands each item over
to a waiting task, carries a thirtieth of the messages.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import Final, Generic, Literal, TypeVar

import anyio

T = TypeVar("T")


class Empty(Enum):
    """The type of `EMPTY`: what an empty mailbox gives, since None may be a message."""

    EMPTY = "empty"


EMPTY: Final = Empty.EMPTY


@dataclass(frozen=True, slots=True)
class MailboxStatistics:
    """A mailbox at one moment. `waiting` counts the user lane, `refused` what did not fit since it was opened."""

    waiting: int
    system: int
    capacity: int
    refused: int
    closed: bool


class Mailbox(Generic[T]):
    """User items within `capacity`, system items without a bound. One task reads, any task puts."""

    __slots__ = ("_arrival", "_refused", "_room", "_system", "_user", "capacity", "closed")

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"a mailbox of {capacity} can hold nothing: give it a capacity of at least 1")
        self.capacity = capacity
        self.closed = False
        self._user: deque[T] = deque()
        self._system: deque[T] = deque()
        self._arrival: anyio.Event | None = None
        self._room: anyio.Event | None = None
        self._refused = 0

    def __len__(self) -> int:
        return len(self._user)

    def put(self, item: T) -> bool:
        """Put an item at the end of the user lane. Returns False, and leaves it out, where that is full or closed."""
        if self.closed:
            return False
        user = self._user
        if len(user) >= self.capacity:
            self._refused += 1
            return False
        user.append(item)
        if self._arrival is not None:
            self._wake()
        return True

    def put_reserved(self, item: T) -> bool:
        """Put an item at the end of the user lane, beyond its capacity if need be. Returns False if closed.

        For what the actor asked for itself and what is therefore bounded otherwise: ticks, results, death notices.
        """
        if self.closed:
            return False
        self._user.append(item)
        if self._arrival is not None:
            self._wake()
        return True

    def put_system(self, item: T) -> bool:
        """Put an item at the end of the system lane. Returns False if closed."""
        if self.closed:
            return False
        self._system.append(item)
        if self._arrival is not None:
            self._wake()
        return True

    async def offer(self, item: T) -> bool:
        """Wait for room and put. Returns False if closed, also while waiting. Cancelled, it has put nothing."""
        return await self.room() and self.put(item)

    async def room(self) -> bool:
        """Wait until one more item would be put. Returns False if closed, also while waiting."""
        while not self.closed and len(self._user) >= self.capacity:
            if self._room is None:
                self._room = anyio.Event()
            await self._room.wait()
        return not self.closed

    def take(self) -> T | Literal[Empty.EMPTY]:
        """Take the next item, of the system lane if there is one; EMPTY if there is none at all."""
        if self._system:
            return self._system.popleft()
        if not self._user:
            return EMPTY
        if self._room is not None:
            self._make_room()
        return self._user.popleft()

    def drain(self, limit: int) -> list[T]:
        """Take up to `limit` items of the user lane at once."""
        if self._room is not None:
            self._make_room()
        return [self._user.popleft() for _ in range(min(limit, len(self._user)))]

    async def wait(self) -> None:
        """Sleep until an item is in either lane. For the one reader."""
        if not self._user and not self._system:
            self._arrival = anyio.Event()
            await self._arrival.wait()

    def close(self) -> list[T]:
        """Take no more, and return what waited in the user lane, in order. Offers that wait return False."""
        self.closed = True
        rest = list(self._user)
        self._user.clear()
        self._system.clear()
        if self._room is not None:
            self._make_room()
        return rest

    def statistics(self) -> MailboxStatistics:
        """Return the present figures."""
        return MailboxStatistics(len(self._user), len(self._system), self.capacity, self._refused, self.closed)

    def _wake(self) -> None:
        assert self._arrival is not None
        self._arrival.set()
        self._arrival = None

    def _make_room(self) -> None:
        assert self._room is not None
        self._room.set()
        self._room = None
