"""The link to one peer: keeps a connection, moves what is under way over it, and says whether the peer lives."""

from __future__ import annotations

import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from random import Random

import anyio

from supervisor.actor import Actor, Context
from supervisor.errors import explain
from transport.arrivals import Arrivals
from transport.backoff import pause
from transport.channel import Channel, ChannelClosed, Dial, Dismissed
from transport.detector import Detector, Health, Rhythm
from transport.events import PeerDismissed, PeerDown, PeerEvent, PeerRestarted, PeerSuspect, PeerUp
from transport.frames import BEAT_BYTES, MAX_FRAME, Ack, Batch, Bye, Frame, FrameError, FrameReader, Hello, encode
from transport.hello import Refused, check
from transport.parcel import to_batch
from transport.session import Session

BATCH, BATCH_BYTES = 4096, 64 * 1024
# An acknowledgement waits that long for something to go with, or for so many more parcels.
ACK_DELAY, ACK_PARCELS = 0.005, 1000
FAREWELL_SECONDS = 0.5
LOOK = "look"

log = logging.getLogger(__name__)


class Left(Exception):
    """The peer has said goodbye."""

    def __init__(self, bye: Bye) -> None:
        super().__init__(bye.reason)
        self.bye = bye


class Link(Actor):
    """One peer's link. With `dial` it connects by itself, again and again; without, it waits to be connected to.

    `tell` is told of every change. The session outlives the link: a new incarnation goes on with it.
    """

    def __init__(
        self, session: Session, dial: Dial | None, rhythm: Rhythm, tell: Callable[[PeerEvent], None], random: Random
    ) -> None:
        self._session = session
        self._dial = dial
        self._rhythm = rhythm
        self._tell = tell
        self._random = random
        self._health: Health | None = None
        self._trouble = f"{session.node} was not reached yet"
        self._connection: Connection | None = None
        self._failures = 0

    async def started(self, ctx: Context) -> None:
        self._detector = Detector(self._rhythm, ctx.now())
        self._arrivals = Arrivals(self._session, lambda path: ctx.spawn(f"pump {path}", self._arrivals.pump, path))
        for path in self._session.inbox.parked:
            ctx.spawn(f"pump {path}", self._arrivals.pump, path)
        ctx.timers.every(LOOK, self._rhythm.look, LOOK)
        ctx.spawn("connect", self._connect)

    async def receive(self, message: object, ctx: Context) -> None:
        health = self._detector.look(ctx.now())
        if health is Health.DOWN and self._health is not Health.DOWN:
            silence = f"nothing was heard of {self._session.node} for {self._detector.timeout:g} s"
            self._down(f"{silence}: {self._trouble}" if self._trouble else silence)
        elif health is Health.SUSPECT and self._health is Health.UP:
            self._health = health
            self._tell(PeerSuspect(self._session.node))
        if health is not Health.UP and self._connection is not None and self._connection.greeted:
            self._connection.abandon("the peer is silent")

    def describe(self) -> Mapping[str, object]:
        session = self._session
        return {
            "peer": session.node,
            "health": self._health or "unknown",
            "connected": self._connection is not None,
            "trouble": self._trouble,
            "under way": len(session.outbox),
            "received": session.inbox.received,
            "waiting for room": sum(map(len, session.inbox.parked.values())),
        }

    async def _connect(self) -> None:
        while True:
            try:
                async with self._open() as channel:
                    self._connection = Connection(channel, self._session, self._rhythm, self._greeted, self._frame)
                    end = await self._connection.run()
                    if self._connection.closed_by_peer and not self._session.hung_up:
                        self._detector.ended()
            except Exception as error:  # noqa: BLE001 - the link is one of the four boundaries
                end = error
            self._connection = None
            self._ended(end)
            if isinstance(end, Dismissed):
                return
            if self._dial is not None:
                await anyio.sleep(pause(self._failures, self._random))
                self._failures += 1

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Channel]:
        if self._dial is not None:
            async with self._dial() as channel:
                yield channel
            return
        visit = await self._session.visited()
        try:
            yield visit.channel
        finally:
            visit.end()

    def _ended(self, end: Exception) -> None:
        node = self._session.node
        match end:
            case Left() if end.bye.refused or end.bye.leaves:
                self._trouble = f"{node} says: {end}"
                self._down(self._trouble, left=end.bye.leaves)
            case Refused():
                self._down(str(end))
            case Dismissed():
                self._down(str(end))
                self._tell(PeerDismissed(node))
            case ChannelClosed() | Left():
                self._trouble = str(end)
            case _:
                self._trouble = explain(end)
                log.warning("the link to %s broke: %s", node, self._trouble, exc_info=end)

    def _greeted(self, hello: Hello) -> None:
        session = self._session
        check(session.local, hello, session.node)
        before = session.boot
        if session.begin(hello):
            self._tell(PeerRestarted(session.node, hello.boot))
        self._heard()
        self._trouble, self._failures = "", 0
        if self._health is not Health.UP or hello.boot != before:
            self._health = Health.UP
            self._tell(PeerUp(session.node, hello.boot))

    def _heard(self) -> None:
        self._session.heard_at = anyio.current_time()
        self._detector.heard(self._session.heard_at)

    def _frame(self, frame: Frame) -> None:
        self._heard()
        if self._health is Health.SUSPECT:
            self._health = Health.UP
            self._tell(PeerUp(self._session.node, self._session.boot))
        match frame:
            case Batch():
                self._arrivals.deliver(frame)
            case Ack():
                self._session.acknowledge(frame)
            case Bye():
                raise Left(frame)
            case Hello():
                raise FrameError("a second hello on one connection")

    def _down(self, reason: str, *, left: bool = False) -> None:
        if self._health is not Health.DOWN or self._session.away != reason:
            self._health = Health.DOWN
            self._session.suspend(reason)
            self._tell(PeerDown(self._session.node, reason, left))


class Connection:
    """One channel, from hello to its end."""

    def __init__(
        self,
        channel: Channel,
        session: Session,
        rhythm: Rhythm,
        greeted: Callable[[Hello], None],
        take: Callable[[Frame], None],
    ) -> None:
        self._channel = channel
        self._session = session
        self._rhythm = rhythm
        self._greet = greeted
        self._take = take
        self._greeted = anyio.Event()
        self._end: Exception | None = None
        self._abandoned = False
        self._next_beat = 0.0
        self._ack_at = math.inf
        self._acked = 0
        self._resend_at = math.inf
        self._confirmed = 0

    async def run(self) -> Exception:
        """Talk until it ends, and return why: Left, Refused, FrameError, ChannelClosed or a fault of our own.

        It is returned, not raised, since a channel may live in a task group, which would wrap it.
        """
        bye = Bye(f"{self._session.local.node} stops", leaves=True)
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._until_end, self._receive, group.cancel_scope)
                await self._until_end(self._speak, group.cancel_scope)
            bye = Bye(str(self._end), refused=isinstance(self._end, Refused))
        finally:
            if not isinstance(self._end, ChannelClosed | Left):
                with anyio.move_on_after(FAREWELL_SECONDS, shield=True):
                    await self._say(bye)
            self._channel.close()
        assert self._end is not None
        return self._end

    @property
    def greeted(self) -> bool:
        """Whether the peer has said hello. Until then it has a patience of its own, however long it was away before."""
        return self._greeted.is_set()

    @property
    def closed_by_peer(self) -> bool:
        """Whether it ended, once the peer had said hello, without a word and not by this side."""
        return self.greeted and isinstance(self._end, ChannelClosed) and not self._abandoned

    def abandon(self, reason: str) -> None:
        """Close the channel."""
        self._abandoned = True
        if self._end is None:
            self._end = ChannelClosed(reason)
        self._channel.close()

    async def _until_end(self, work: Callable[[], Awaitable[None]], scope: anyio.CancelScope) -> None:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - the link is one of the four boundaries
            self._end = self._end or error
            scope.cancel()

    async def _speak(self) -> None:
        """Send, until nobody takes it any more: what the peer said before is still read, a goodbye above all."""
        try:
            await self._send()
        except ChannelClosed:
            pass

    async def _say(self, bye: Bye) -> None:
        try:
            await self._channel.send(encode(bye))
        except ChannelClosed:
            pass

    async def _receive(self) -> None:
        reader = FrameReader()
        while True:
            chunk = await self._channel.receive()
            for frame in reader.feed(chunk):
                if self._greeted.is_set():
                    self._take(frame)
                elif isinstance(frame, Hello):
                    self._greet(frame)
                    self._greeted.set()
                    reader.max_bytes = MAX_FRAME
                elif isinstance(frame, Bye):
                    raise Left(frame)
                else:
                    raise FrameError("a connection begins with a hello")
            if self._session.inbox.ack_due:
                self._session.wake()

    async def _send(self) -> None:
        session, channel = self._session, self._channel
        await channel.send(encode(session.hello()))
        patience = self._rhythm.beat * self._rhythm.suspect
        with anyio.move_on_after(patience):
            await self._greeted.wait()
        if not self.greeted:
            self.abandon(f"{channel.peer.node} did not say hello within {patience:g} s")
            return
        while True:
            chunk = self._compose(anyio.current_time())
            if chunk:
                await channel.send(chunk)
            else:
                await session.work(min(self._next_beat, self._ack_at, self._resend_at))

    def _compose(self, now: float) -> bytes:
        """Return what is to be sent at once: a batch, with it or alone an acknowledgement, a beat."""
        session = self._session
        self._watch_progress(now)
        first, parcels = session.outbox.take(BATCH, BATCH_BYTES)
        parts: list[bytes] = []
        if session.inbox.ack_due and self._ack_now(now, alone=not parcels):
            parts.append(encode(session.inbox.ack()))
            self._ack_at, self._acked = math.inf, session.inbox.received
        if parcels:
            parts.append(to_batch(first, parcels, now))
        if now >= self._next_beat:
            parts.append(BEAT_BYTES)
            self._next_beat = now + self._rhythm.beat
        return b"".join(parts)

    def _ack_now(self, now: float, *, alone: bool) -> bool:
        if not alone or now >= self._ack_at or self._session.inbox.received - self._acked >= ACK_PARCELS:
            return True
        self._ack_at = min(self._ack_at, now + ACK_DELAY)
        return False

    def _watch_progress(self, now: float) -> None:
        """Send once more what was lost on the way, where the peer has acknowledged nothing for two beats."""
        outbox = self._session.outbox
        if not outbox.sent:
            self._resend_at = math.inf
        elif self._resend_at == math.inf or outbox.acknowledged != self._confirmed:
            self._resend_at = now + 2 * self._rhythm.beat
        elif now >= self._resend_at:
            outbox.rewind()
            self._resend_at = math.inf
        self._confirmed = outbox.acknowledged
