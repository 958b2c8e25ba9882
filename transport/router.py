"""The way to the actors of other nodes: one session and one link for each peer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import count
from random import Random

from supervisor.address import Address
from supervisor.dead_letters import Reason
from supervisor.errors import Unreachable
from supervisor.spec import ChildSpec
from supervisor.system import System
from supervisor.watch import Watch
from transport.channel import Channel, ChannelClosed, Dial
from transport.codec import CodecError, JsonCodec
from transport.delivery import Limits
from transport.detector import Rhythm
from transport.events import PeerEvent
from transport.frames import Bye, encode
from transport.hello import Local
from transport.link import Link
from transport.parcel import Parcel
from transport.seldom import Seldom
from transport.session import Border, Session

ALIVE = 2.5
"""Beats within which a peer that lives says something. Who dials waits longer than that for a hello."""

log = logging.getLogger(__name__)


def log_event(event: PeerEvent) -> None:
    """Write what happens to a peer to the log."""
    log.info("%s", event)


class LinkRouter:
    """Implements `supervisor.ports.Router` by links. Give it to a `System`, and `bind` it to that one.

    `subscriber` is told of every peer that is up, suspect, down or restarted; it must not block or raise.
    """

    def __init__(
        self,
        local: Local,
        *,
        subscriber: Callable[[PeerEvent], None] = log_event,
        codec: JsonCodec | None = None,
        limits: Limits | None = None,
        rhythm: Rhythm | None = None,
        random: Random | None = None,
    ) -> None:
        self.local = local
        self._subscriber = subscriber
        self._codec = codec or JsonCodec()
        self._limits = limits or Limits()
        self._rhythm = rhythm or Rhythm()
        self._random = random or Random()
        self._border: Border | None = None
        self._sessions: dict[str, Session] = {}
        self._dialled: set[str] = set()
        self._lives = count(1)
        self._seldom = Seldom()
        self._system: System | None = None

    @property
    def system(self) -> System:
        """The system whose router this is."""
        if self._system is None:
            raise RuntimeError("this router has no system yet: call bind() with the one that was made with it")
        return self._system

    @property
    def peers(self) -> tuple[str, ...]:
        """The nodes that links lead to."""
        return tuple(self._sessions)

    def bind(self, system: System) -> None:
        """Name the system that was made with this router."""
        self._system = system

    def attend(self, subscriber: Callable[[PeerEvent], None], border: Border | None = None) -> None:
        """Before the first link: who is told from now on, and what says of each message that arrives why it may not.

        Without a border every peer may send anything to any actor.
        """
        self._subscriber, self._border = subscriber, border

    def link(self, node: str, dial: Dial | None = None) -> ChildSpec:
        """Return the child that keeps the link to that node, to be started under a supervisor of the system.

        With `dial` this node connects to the other; without, it waits to be connected to (`accept`). Messages to the
        node are taken from now on.
        """
        if node == self.local.node:
            raise ValueError(f"{node} is this node: it needs no link to itself")
        if node in self._sessions:
            raise ValueError(f"there is a link to {node} already: forget it first")
        life = f"{self.local.boot}.{next(self._lives)}"
        session = Session(self.local, life, node, self.system, self._codec, self._limits, self._border)
        self._sessions[node] = session
        if dial is not None:
            self._dialled.add(node)
        return ChildSpec(node, lambda: Link(session, dial, self._rhythm, self._subscriber, self._random))

    def forget(self, node: str) -> None:
        """Lead there no more, and close what is open; unknown is fine. What was under way becomes dead letters.

        Its link is to be stopped, too.
        """
        session = self._sessions.pop(node, None)
        self._dialled.discard(node)
        if session is not None:
            session.hang_up()
            session.suspend(f"{node} was removed")
            session.lose(f"{node} was removed")

    def hang_up(self, node: str) -> None:
        """Close the channel that a peer has opened, so that it proves anew who it is; unknown is fine."""
        session = self._sessions.get(node)
        if session is not None:
            session.hang_up()

    async def accept(self, channel: Channel) -> None:
        """Take a channel that a peer has opened, and return when it is closed."""
        node = channel.peer.node
        session = self._sessions.get(node)
        if session is None:
            await self._refuse(channel, f"{self.local.node} knows no node {node}: let it join (again)")
        elif node in self._dialled:
            await self._refuse(channel, f"{self.local.node} connects to {node} by itself, and not the other way round")
        elif address := await session.goes_on(ALIVE * self._rhythm.beat):
            await self._refuse(channel, _doubled(node, channel.peer.address, address))
        else:
            visit = session.visit(channel)
            try:
                await visit.over.wait()
            finally:
                visit.end()

    def tell(self, address: Address, message: object, /) -> None:
        session = self._sessions.get(address.node)
        parcel = self._parcel(session, address, message)
        if session is not None and parcel is not None and not session.push(parcel):
            self.system.dead_letters.post(Reason.OVERFLOW, address, message)

    async def offer(self, address: Address, message: object, /) -> None:
        session = self._sessions.get(address.node)
        parcel = self._parcel(session, address, message)
        if session is None or parcel is None:
            return
        while not session.push(parcel):
            await session.room(address.path)
            if session.away or self._sessions.get(address.node) is not session:
                self.system.dead_letters.post(Reason.UNREACHABLE, address, message)
                return

    def _parcel(self, session: Session | None, address: Address, message: object) -> Parcel | None:
        """Return the message as it travels, or None where it is a dead letter already."""
        if session is None or session.away:
            self.system.dead_letters.post(Reason.UNREACHABLE, address, message)
            return None
        try:
            tag, body = self._codec.pack(message)
        except CodecError:
            self.system.dead_letters.post(Reason.UNDECODABLE, address, message)
            return None
        return Parcel(address.path, tag, body, message)

    async def ask(self, address: Address, message: object, /, *, timeout: float) -> object:
        session = self._sessions.get(address.node)
        reason = self._why_away(address.node, session)
        if session is None or reason:
            self.system.dead_letters.post(Reason.UNREACHABLE, address, message)
            raise Unreachable(address, reason)
        return await session.questions.ask(address, message, timeout)

    def watch(self, watch: Watch, /) -> None:
        session = self._sessions.get(watch.target.node)
        reason = self._why_away(watch.target.node, session)
        if session is None or reason:
            watch.notify(0, reason)
        else:
            session.watches.begin(watch)

    def forget_watch(self, watch: Watch, /) -> None:
        session = self._sessions.get(watch.target.node)
        if session is not None:
            session.watches.end(watch)

    def _why_away(self, node: str, session: Session | None) -> str:
        return f"{self.local.node} has no link to {node}" if session is None else session.away

    async def _refuse(self, channel: Channel, reason: str) -> None:
        if self._seldom.due(reason):
            log.warning("refused a link: %s", reason)
        try:
            await channel.send(encode(Bye(reason, refused=True)))
        except ChannelClosed:
            pass
        channel.close()


def _doubled(node: str, newcomer: str, first: str) -> str:
    """What is said to a machine that comes as a node which is connected already, and to who reads the log here."""
    return (
        f"two machines have the identity of node {node}: {newcomer or 'this one'} is not let in while {first} is "
        "connected. One is a copy of the other: `sudo gbnt reset` on the copy, then let it join by a join token"
    )
