"""A reference to an actor: all that one actor may know of another."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import total_ordering

from supervisor.address import Address
from supervisor.alarms import Alarms
from supervisor.cell import ActorCell
from supervisor.dead_letters import DeadLetterOffice, Reason
from supervisor.envelope import Ask, Envelope
from supervisor.errors import MailboxFull, NoSuchActor, Unreachable
from supervisor.ports import Codec, Router


@total_ordering
class Ref(ABC):
    """Sends to whoever lives at an address at that moment: a ref survives the actor's restarts.

    Refs are equal, ordered and hashed by address. Messages from one task to one actor arrive in the order they were
    sent.
    """

    __slots__ = ("address",)

    def __init__(self, address: Address) -> None:
        self.address = address

    @abstractmethod
    def tell(self, message: object) -> None:
        """Send. Never blocks, never raises: what cannot be delivered is a dead letter with its reason.

        In strict mode alone it raises where the message has no wire form.
        """

    @abstractmethod
    async def offer(self, message: object) -> None:
        """Send, waiting for room in a full mailbox. For producers that the actor never waits for in turn.

        Nobody there is a dead letter, as with `tell`. Cancelled while it waits, it has sent nothing.
        """

    @abstractmethod
    async def ask(self, message: object, *, timeout: float) -> object:
        """Send and return the reply, within `timeout` seconds (rounded up to 1/128 s).

        The deadline goes with the message: an actor never begins on a question that nobody waits for any more. Raises
        NoSuchActor, MailboxFull, AskTimeout (it may have been done), ActorCrashed, ActorStopped or Unreachable. A
        refusal is not among them: that is a reply.
        """

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ref) and self.address == other.address

    def __lt__(self, other: Ref) -> bool:
        return self.address < other.address

    def __hash__(self) -> int:
        return hash(self.address)

    def __repr__(self) -> str:
        return f"Ref({self.address})"


class LocalRef(Ref):
    """A ref to an actor of this node. With a codec (strict mode) every message and reply is encoded and decoded."""

    __slots__ = ("_alarms", "_cells", "_codec", "_office", "_path")

    def __init__(
        self,
        address: Address,
        cells: dict[str, ActorCell],
        alarms: Alarms,
        office: DeadLetterOffice,
        codec: Codec | None,
    ) -> None:
        super().__init__(address)
        self._path = address.path
        self._cells = cells
        self._alarms = alarms
        self._office = office
        self._codec = codec

    def tell(self, message: object) -> None:
        if self._codec is not None:
            message = self._codec.decode(self._codec.encode(message))
        cell = self._cells.get(self._path)
        if cell is None:
            self._office.post(Reason.NO_SUCH_ACTOR, self.address, message)
        elif not cell.mailbox.put(message):
            self._office.post(Reason.OVERFLOW, self.address, message)

    async def offer(self, message: object) -> None:
        if self._codec is not None:
            message = self._codec.decode(self._codec.encode(message))
        cell = self._cells.get(self._path)
        if cell is None:
            self._office.post(Reason.NO_SUCH_ACTOR, self.address, message)
        elif not await cell.mailbox.offer(message):
            self._office.post(Reason.STOPPED, self.address, message)

    async def ask(self, message: object, *, timeout: float) -> object:
        if self._codec is not None:
            message = self._codec.decode(self._codec.encode(message))
        cell = self._cells.get(self._path)
        if cell is None:
            self._office.post(Reason.NO_SUCH_ACTOR, self.address, message)
            raise NoSuchActor(self.address)
        ask = Ask(self.address, message, cell.questions, self._alarms, self._codec)
        if cell.mailbox.put(Envelope(message, ask, ask)):
            ask.expire_after(timeout)
        else:
            self._office.post(Reason.OVERFLOW, self.address, message)
            ask.fail(MailboxFull(self.address, cell.mailbox.capacity))
        return await ask.answer()


class RemoteRef(Ref):
    """A ref to an actor of another node, through the router."""

    __slots__ = ("_office", "_router")

    def __init__(self, address: Address, office: DeadLetterOffice, router: Router | None) -> None:
        super().__init__(address)
        self._office = office
        self._router = router

    def tell(self, message: object) -> None:
        if self._router is None:
            self._office.post(Reason.UNREACHABLE, self.address, message)
        else:
            self._router.tell(self.address, message)

    async def offer(self, message: object) -> None:
        if self._router is None:
            self._office.post(Reason.UNREACHABLE, self.address, message)
        else:
            await self._router.offer(self.address, message)

    async def ask(self, message: object, *, timeout: float) -> object:
        if self._router is None:
            self._office.post(Reason.UNREACHABLE, self.address, message)
            raise Unreachable(self.address)
        return await self._router.ask(self.address, message, timeout=timeout)
