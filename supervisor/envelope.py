"""A message on its way, and the handle by which it can be answered."""

from __future__ import annotations

from typing import Protocol

import anyio

from supervisor.address import Address
from supervisor.alarms import Alarms, coarse
from supervisor.errors import ActorError, AskTimeout
from supervisor.ports import Codec


class ReplyTo(Protocol):
    """Answers one message: at once, later, or from another task. The first answer counts, others are ignored."""

    @property
    def deadline(self) -> float | None:
        """When the asker stops waiting, in seconds of `anyio.current_time()`; None where nobody waits."""

    def send(self, value: object, /) -> None:
        """Answer. Never blocks; does nothing where nobody waits (any more)."""


class Nobody:
    """The handle of a message that was told, not asked."""

    deadline = None

    def send(self, value: object, /) -> None:
        """Do nothing."""


NOBODY = Nobody()


class Question(Protocol):
    """What an incarnation owes an answer to."""

    def fail(self, error: ActorError, /) -> None:
        """There will be none."""


class Source(Protocol):
    """What put an envelope into the mailbox, and may have thought better of it since."""

    def take(self) -> bool:
        """Called once, as the envelope is about to be handled. Returns whether it still is to be."""


class Envelope:
    """One message in a mailbox, with who waits for its answer. What is told, and has nobody and nothing to it, lies
    there bare.

    No frozen dataclass: those cost four times as much to make.
    """

    __slots__ = ("message", "reply_to", "source")

    def __init__(self, message: object, reply_to: ReplyTo = NOBODY, source: Source | None = None) -> None:
        self.message = message
        self.reply_to = reply_to
        self.source = source

    @classmethod
    def around(cls, item: object) -> Envelope:
        """Return an item of a mailbox as an envelope, which it may be already."""
        return item if isinstance(item, Envelope) else cls(item)

    @property
    def deadline(self) -> float | None:
        """When the asker stops waiting, in seconds of `anyio.current_time()`; None where nobody waits."""
        return self.reply_to.deadline

    @property
    def internal(self) -> bool:
        """Whether the actor sent it to itself, or the runtime did: nobody's loss where the actor ends."""
        return self.source is not None and self.reply_to is NOBODY

    def __repr__(self) -> str:
        return f"Envelope({self.message!r})"


class Ask:
    """A question that waits for its answer: reply handle, alarm and source of its envelope in one.

    `book` is where the asked incarnation keeps its open questions, so that its end answers them all.
    """

    __slots__ = ("_address", "_alarms", "_book", "_codec", "_done", "_error", "_message", "_open", "_value", "deadline")

    def __init__(
        self, address: Address, message: object, book: dict[Question, None], alarms: Alarms, codec: Codec | None
    ) -> None:
        self.deadline: float | None = None
        self._address = address
        self._message = message
        self._book = book
        self._alarms = alarms
        self._codec = codec
        self._open = True
        self._done: anyio.Event | None = None
        self._value: object = None
        self._error: ActorError | None = None
        book[self] = None

    def expire_after(self, seconds: float) -> None:
        """Fail with `AskTimeout` after that time, rounded up to the alarms' resolution."""
        self.deadline = coarse(anyio.current_time() + seconds)
        self._alarms.set(self.deadline, self)

    def send(self, value: object, /) -> None:
        """Answer the asker. Raises what the codec raises where there is one (strict mode) and it refuses the value."""
        if self._open:
            self._value = value if self._codec is None else self._codec.decode(self._codec.encode(value))
            self._close()

    def fail(self, error: ActorError) -> None:
        """Raise the error at the asker."""
        if self._open:
            self._error = error
            self._close()

    def ring(self) -> None:
        """The time is up."""
        self.fail(AskTimeout(self._address, self._message))

    def take(self) -> bool:
        """Return whether somebody still waits: what nobody waits for is not done."""
        if self._open and self.deadline is not None and self.deadline <= anyio.current_time():
            self.ring()
        return self._open

    async def answer(self) -> object:
        """Wait for the answer. Raises ActorError. Cancelled, the question is withdrawn if it is not yet begun."""
        if self._open:
            self._done = anyio.Event()
            try:
                await self._done.wait()
            finally:
                self._close()
        if self._error is not None:
            raise self._error
        return self._value

    def _close(self) -> None:
        if self._open:
            self._open = False
            self._book.pop(self, None)
            if self.deadline is not None:
                self._alarms.cancel(self.deadline, self)
            if self._done is not None:
                self._done.set()
