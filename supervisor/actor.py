"""What an actor is written against: the class to derive from, and the context it is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import anyio

from supervisor.address import Address
from supervisor.envelope import NOBODY, Envelope, ReplyTo
from supervisor.timers import Timers

if TYPE_CHECKING:
    from supervisor.cell import ActorCell
    from supervisor.ref import Ref
    from supervisor.system import System

__all__ = ["Actor", "Context", "Envelope", "ReplyTo"]


class Actor:
    """State that only its own messages change, handled one after the other.

    An exception out of any method but `describe` is a crash: the supervisor decides what follows, and the next
    incarnation is a new object from the child's factory. Waiting in a handler makes this actor, and nobody else, wait:
    what takes long belongs into `ctx.spawn`. A handler is cancelled only when its actor is killed or a job of its own
    crashes.
    """

    mailbox_size: ClassVar[int] = 1000
    """How many messages may wait; one more is a dead letter."""

    batch: ClassVar[int] = 1
    """Above 1, `receive_batch` gets up to that many waiting messages at once."""

    async def started(self, ctx: Context) -> None:
        """Prepare. The supervisor starts the next child when this returns; if it raises, this child did not start."""

    async def receive(self, message: object, ctx: Context) -> None:
        """Handle one message."""
        raise NotImplementedError(f"{type(self).__name__} was sent {type(message).__name__} and handles no messages")

    async def receive_batch(self, envelopes: Sequence[Envelope], ctx: Context) -> None:
        """Handle what waits together; answer by each envelope's own `reply_to`. Called where `batch` is above 1."""
        for envelope in envelopes:
            ctx.reply_to = envelope.reply_to
            await self.receive(envelope.message, ctx)

    async def stopped(self, ctx: Context) -> None:
        """Clean up after an orderly stop. Timers and jobs have ended. Not called after a crash or a kill."""

    def describe(self) -> Mapping[str, object]:
        """Return lines for whoever inspects this actor. Must not raise."""
        return {}


class Context:
    """One incarnation's view of the world. It ends with the incarnation: do not hand it on."""

    def __init__(self, system: System, cell: ActorCell, timers: Timers) -> None:
        self.system = system
        self.timers = timers
        self.reply_to: ReplyTo = NOBODY
        """The handle that answers the present message; may be kept and used later. In a batch, see each envelope."""
        self._cell = cell
        self._self: Ref | None = None

    @property
    def address(self) -> Address:
        """Where this actor lives."""
        return self._cell.address

    @property
    def self(self) -> Ref:
        """A ref to this actor."""
        if self._self is None:
            self._self = self.system.ref(self._cell.address)
        return self._self

    @property
    def incarnation(self) -> int:
        """This life's number: no two lives in one system share it, and it grows from life to life."""
        return self._cell.incarnation

    def now(self) -> float:
        """Return the monotonic time in seconds that timers and deadlines run on."""
        return anyio.current_time()

    def ref(self, address: str | Address) -> Ref:
        """Return a ref to a path on this node, or to an address. See `System.ref`."""
        return self.system.ref(address)

    def reply(self, value: object) -> None:
        """Answer the present message, if it was asked and not yet answered."""
        self.reply_to.send(value)

    def watch(self, ref: Ref) -> None:
        """Be sent one `Terminated` when the actor that lives there now has ended; at once if nobody does.

        Watching what is watched already changes nothing. An actor of another node has ended for who watches it when
        that node is down, restarts, or cannot be reached from here.
        """
        self._cell.watch(ref.address)

    def unwatch(self, ref: Ref) -> None:
        """Be sent no `Terminated` of it, not even one that waits in the mailbox."""
        self._cell.unwatch(ref.address)

    def spawn(self, key: str, work: Callable[..., Awaitable[object]], *args: object) -> None:
        """Run `work(*args)` beside the mailbox; what it returns, unless None, is sent to this actor.

        Its exception crashes the actor. It is cancelled when the actor ends, by `cancel(key)`, and by another spawn
        under the key, which begins once this one has ended.
        """
        self._cell.spawn(key, work, args)

    def cancel(self, key: str) -> None:
        """Cancel a spawned job and drop its result; unknown is fine."""
        self._cell.jobs.cancel(key)

    def stop(self) -> None:
        """End this actor in order, after the present message. What waits becomes dead letters."""
        self._cell.stop("normal")
