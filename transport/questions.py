"""Asks between this node and one other: ours that wait for its answers, and its own that wait for ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count

import anyio

from supervisor.address import Address
from supervisor.alarms import Alarms, coarse
from supervisor.dead_letters import Reason
from supervisor.envelope import Ask, Question
from supervisor.errors import ActorCrashed, ActorError, ActorStopped, MailboxFull, NoSuchActor, Unreachable
from supervisor.system import System
from transport.codec import CodecError, JsonCodec
from transport.parcel import Parcel, answer, note, question

CRASHED = "crashed"

Push = Callable[[Parcel], bool]


class Questions:
    """Both directions. Its answers and its failures are those of a local ask."""

    def __init__(self, node: str, system: System, codec: JsonCodec, push: Push) -> None:
        self._node = node
        self._system = system
        self._codec = codec
        self._push = push
        self._ids = count(1)
        self._waiting: dict[int, tuple[Ask, Address]] = {}
        self._book: dict[Question, None] = {}
        self._asked: dict[Asked, None] = {}

    async def ask(self, address: Address, message: object, timeout: float) -> object:
        """Send and return the reply. Raises as `Ref.ask`, and what the codec raises where it refuses the message."""
        tag, body = self._codec.pack(message)
        ask = Ask(address, message, self._book, self._system.alarms, None)
        ask.expire_after(timeout)
        assert ask.deadline is not None
        id = next(self._ids)
        self._waiting[id] = ask, address
        try:
            if not self._push(question(address.path, tag, body, message, id, ask.deadline)):
                self._system.dead_letters.post(Reason.OVERFLOW, address, message)
                ask.fail(MailboxFull(address, len(self._waiting)))
            return await ask.answer()
        finally:
            self._waiting.pop(id, None)

    def answered(self, id: int, tag: str, body: bytes) -> None:
        """The peer has replied. Nobody may wait for that any more."""
        ask, address = self._waiting.pop(id, (None, None))
        if ask is None or address is None:
            return
        try:
            ask.send(self._codec.unpack(tag, body))
        except CodecError as error:
            self._system.dead_letters.post(Reason.UNDECODABLE, self._system.address, tag)
            ask.fail(Unreachable(address, f"its answer cannot be read here: {error}"))

    def failed(self, id: int, error: Sequence[object]) -> None:
        """The peer says why there is no reply."""
        ask, address = self._waiting.pop(id, (None, None))
        if ask is not None and address is not None:
            ask.fail(_error(address, *map(str, error)))

    def lost(self, reason: str) -> None:
        """The peer is down, or has begun another life: none of ours is answered any more."""
        for ask, address in list(self._waiting.values()):
            ask.fail(Unreachable(address, reason))

    def forget(self) -> None:
        """Those who asked are no more: answers to them go nowhere."""
        for asked in list(self._asked):
            asked.close()

    def asked(self, id: int, seconds: float, book: dict[Question, None]) -> Asked:
        """Take a question of the peer, which is to be answered within that time."""
        return Asked(self, id, coarse(anyio.current_time() + seconds), book, self._system.alarms, self._asked)

    def reply(self, id: int, value: object) -> None:
        """Send a reply. Raises what the codec raises."""
        self._push(answer(id, *self._codec.pack(value)))

    def refuse(self, id: int, error: ActorError) -> None:
        """Say why there will be none; of a crash only that it was one, for its text is for this node's log alone."""
        name = next((name for name, cls in _NAMES.items() if type(error) is cls), "Unreachable")
        self._push(note("f", id, [name, _detail(error)]))


class Asked:
    """A question of the peer: reply handle, alarm and source of its envelope in one, as `Ask` is for a local one."""

    __slots__ = ("_alarms", "_all", "_book", "_id", "_open", "_questions", "deadline")

    def __init__(
        self,
        questions: Questions,
        id: int,
        deadline: float,
        book: dict[Question, None],
        alarms: Alarms,
        all: dict[Asked, None],
    ) -> None:
        self.deadline: float | None = deadline
        self._questions = questions
        self._id = id
        self._open = True
        self._book = book
        self._alarms = alarms
        self._all = all
        book[self] = all[self] = None
        alarms.set(deadline, self)

    def send(self, value: object, /) -> None:
        """Answer the asker. Raises what the codec raises."""
        if self._open:
            self._questions.reply(self._id, value)
            self.close()

    def fail(self, error: ActorError, /) -> None:
        """Raise the error at the asker."""
        if self._open:
            self._questions.refuse(self._id, error)
            self.close()

    def ring(self) -> None:
        """The time is up: the asker knows that by itself."""
        self.close()

    def take(self) -> bool:
        """Return whether somebody still waits."""
        return self._open

    def close(self) -> None:
        """Nobody waits any more."""
        if self._open:
            self._open = False
            self._book.pop(self, None)
            self._all.pop(self, None)
            assert self.deadline is not None
            self._alarms.cancel(self.deadline, self)


_NAMES: Mapping[str, type[ActorError]] = {
    "NoSuchActor": NoSuchActor,
    "MailboxFull": MailboxFull,
    "ActorStopped": ActorStopped,
    "ActorCrashed": ActorCrashed,
}


def _detail(error: ActorError) -> str:
    match error:
        case MailboxFull():
            return str(error.capacity)
        case ActorCrashed():
            return CRASHED
    return str(getattr(error, "reason", error))


def _error(address: Address, name: str = "", detail: str = "", *_: str) -> ActorError:
    match name:
        case "NoSuchActor":
            return NoSuchActor(address, detail)
        case "MailboxFull":
            return MailboxFull(address, int(detail) if detail.isdecimal() and len(detail) < 10 else 0)
        case "ActorStopped":
            return ActorStopped(address, detail)
        case "ActorCrashed":
            return ActorCrashed(address, detail)
    return Unreachable(address, detail or f"{address.node} gave no reason")
