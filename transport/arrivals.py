"""Puts what arrives from one peer where it belongs: into mailboxes, to who asked, to who watches."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from supervisor.address import Address
from supervisor.cell import ActorCell
from supervisor.dead_letters import Reason
from supervisor.envelope import Envelope
from supervisor.errors import MailboxFull, NoSuchActor
from transport.codec import CodecError
from transport.frames import Batch
from transport.seldom import Seldom
from transport.session import GHOST, Session

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Unread:
    """Stands in a dead letter for a message that was not decoded."""

    tag: str
    size: int


class Arrivals:
    """For the batches of one peer. `pump(path)` is called when messages to a path begin to wait for room."""

    def __init__(self, session: Session, pump: Callable[[str], None]) -> None:
        self._session = session
        self._system = session.system
        self._inbox = session.inbox
        self._unpack = session.codec.unpack
        self._pump = pump
        self._seldom = Seldom()

    def deliver(self, batch: Batch) -> None:
        """Deliver what of a batch is new. Raises FrameError where the peer ignores its credit."""
        known = self._inbox.arrive(batch.first, batch.count)
        bodies, begin = batch.bodies, 0
        for run in batch.runs:
            if run[0] == "t":
                _, path, tag, lengths = run
                if known:
                    old = min(known, len(lengths))
                    known -= old
                    begin += sum(lengths[:old])
                    lengths = lengths[old:]
                begin = self._tell(path, tag, lengths, bodies, begin)
                continue
            end = begin + run[-1]
            if known:
                known -= 1
            else:
                self._one(run, bodies[begin:end])
            begin = end

    async def pump(self, path: str) -> None:
        """Put what waits into the mailbox while there is room, until nothing waits any more."""
        parked = self._inbox.parked
        while path in self._inbox.parked:
            actor = self._system.actor(path)
            if actor is not None:
                await actor.mailbox.room()
            while path in (parked := self._inbox.parked):
                item = parked[path][0]
                if item is not GHOST:
                    if actor is None or actor.mailbox.closed:
                        self._lost(Reason.NO_SUCH_ACTOR if actor is None else Reason.STOPPED, path, item)
                    elif not actor.mailbox.put(item):
                        break
                self._inbox.unpark(path)
            self._session.wake()

    def _tell(self, path: str, tag: str, lengths: Sequence[int], bodies: bytes, begin: int) -> int:
        """Deliver messages to one actor, and return where their bodies end."""
        actor = self._system.actor(path)
        parked = path in self._inbox.parked
        unpack = self._unpack
        for length in lengths:
            end = begin + length
            if actor is None:
                self._lost(Reason.NO_SUCH_ACTOR, path, Unread(tag, length))
            else:
                try:
                    message = unpack(tag, bodies[begin:end])
                except CodecError:
                    self._lost(Reason.UNDECODABLE, path, Unread(tag, length))
                else:
                    if self._session.border is not None and not self._passes(path, message):
                        self._lost(Reason.FORBIDDEN, path, Unread(tag, length))
                    elif parked or not actor.mailbox.put(message):
                        self._park(path, message)
                        parked = True
            begin = end
        return begin

    def _one(self, run: Sequence[Any], body: bytes) -> None:
        session = self._session
        match run:
            case ["a", path, tag, id, milliseconds, _]:
                self._ask(path, tag, id, milliseconds / 1000, body)
            case ["r", id, tag, _]:
                session.questions.answered(id, tag, body)
            case ["f", id, error, _]:
                session.questions.failed(id, error)
            case ["w", path, id, _]:
                session.watches.watched(id, path if self._passes(path, None) else "")
            case ["u", id, _]:
                session.watches.unwatched(id)
            case ["n", id, incarnation, reason, _]:
                session.watches.ended(id, incarnation, reason)

    def _ask(self, path: str, tag: str, id: int, seconds: float, body: bytes) -> None:
        questions, unread = self._session.questions, Unread(tag, len(body))
        actor = self._system.actor(path)
        if actor is None:
            self._lost(Reason.NO_SUCH_ACTOR, path, unread)
            questions.refuse(id, NoSuchActor(self._system.address))
            return
        try:
            message = self._unpack(tag, body)
        except CodecError as error:
            self._lost(Reason.UNDECODABLE, path, unread)
            questions.refuse(id, NoSuchActor(actor.address, str(error)))
            return
        if seconds <= 0:
            self._lost(Reason.EXPIRED, path, message)
            return
        if not self._passes(path, message):
            self._lost(Reason.FORBIDDEN, path, unread)
            questions.refuse(id, NoSuchActor(actor.address))
            return
        self._put_question(actor, message, id, seconds)

    def _passes(self, path: str, message: object) -> bool:
        session = self._session
        why_not = session.border(session.node, path, message) if session.border is not None else ""
        if why_not and self._seldom.due(why_not):
            log.warning("refused a message of %s, to %s: %s", session.node, path, why_not)
        return not why_not

    def _put_question(self, actor: ActorCell, message: object, id: int, seconds: float) -> None:
        path = actor.address.path
        asked = self._session.questions.asked(id, seconds, actor.questions)
        parked = path in self._inbox.parked
        if not parked and actor.mailbox.put(Envelope(message, asked, asked)):
            return
        self._lost(Reason.OVERFLOW, path, message)
        asked.fail(MailboxFull(actor.address, actor.mailbox.capacity))
        if parked:
            self._inbox.park(path, GHOST)

    def _park(self, path: str, item: object) -> None:
        begins = path not in self._inbox.parked
        self._inbox.park(path, item)
        if begins:
            self._pump(path)

    def _lost(self, reason: Reason, path: str, message: object) -> None:
        node = self._system.address.node
        try:
            address = Address(node, path)
        except ValueError:  # whatever a peer may name
            address = Address(node)
        self._system.dead_letters.post(reason, address, message)
