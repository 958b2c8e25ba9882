"""All that is between this node and one other, through every connection: what is under way, asked and watched."""

from __future__ import annotations

import math
from collections.abc import Callable

import anyio

from supervisor.address import Address
from supervisor.dead_letters import Reason
from supervisor.system import System
from transport.channel import Channel
from transport.codec import JsonCodec
from transport.delivery import Inbox, Limits, Outbox
from transport.frames import Ack, Hello
from transport.hello import Local
from transport.parcel import Parcel
from transport.questions import Questions
from transport.watches import Watches

Border = Callable[[str, str, object | None], str]
"""Why a peer may not send this message to the actor at this path, or watch it (None); empty where it may.

Must not block or raise.
"""


class Ghost:
    """Stands for a question that was refused, among the messages that wait for room: all are counted."""


GHOST = Ghost()


class Visit:
    """A channel that the peer has opened, until somebody is done with it."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.over = anyio.Event()

    def end(self) -> None:
        """Close it."""
        self.channel.close()
        self.over.set()


class Session:
    """What survives a connection, and a restart of the link. `life` names this session to the peer.

    `away` says why nothing can be sent; it is empty while the peer is up, and until it is known to be down. `heard_at`
    is when the peer last said anything.
    """

    def __init__(
        self,
        local: Local,
        life: str,
        node: str,
        system: System,
        codec: JsonCodec,
        limits: Limits,
        border: Border | None = None,
    ) -> None:
        self.local = local
        self.life = life
        self.node = node
        self.system = system
        self.codec = codec
        self.border = border
        self.outbox = Outbox(limits)
        self.inbox: Inbox[object] = Inbox(limits)
        self.questions = Questions(node, system, codec, self.push)
        self.watches = Watches(system, self.push)
        self.boot = ""
        self.away = ""
        self.heard_at = -math.inf
        self._work = False
        self._wake: anyio.Event | None = None
        self._rooms: dict[str, anyio.Event] = {}
        self._visit: Visit | None = None
        self._visited = anyio.Event()

    def push(self, parcel: Parcel) -> bool:
        """Send in its turn. Returns False where there is no room."""
        if not self.outbox.push(parcel):
            return False
        self._work = True
        if self._wake is not None:
            self.wake()
        return True

    def wake(self) -> None:
        """There is something to send."""
        self._work = True
        if self._wake is not None:
            self._wake.set()
            self._wake = None

    async def work(self, until: float) -> None:
        """Wait for something to send, or for that moment. For one task."""
        if not self._work:
            self._wake = anyio.Event()
            with anyio.CancelScope(deadline=until):
                await self._wake.wait()
            self._wake = None
        self._work = False

    async def room(self, path: str) -> None:
        """Wait until a parcel for that path may be taken, or the peer is lost."""
        while not self.away and not self.outbox.has_room(path):
            await self._rooms.setdefault(path, anyio.Event()).wait()

    def hello(self) -> Hello:
        """Return what to begin a connection with."""
        ack, local = self.inbox.ack(), self.local
        return Hello(
            local.node, self.life, local.cluster, local.oldest, local.newest, self.boot, ack.received, ack.held
        )

    def begin(self, hello: Hello) -> bool:
        """Go on with the peer after a new connection. Returns whether it has begun another life since the last."""
        restarted = self.boot not in ("", hello.boot)
        if restarted:
            self.lose(f"{self.node} has restarted")
        elif self.boot and hello.heard_boot == self.life:
            self.acknowledge(Ack(hello.heard, hello.held))
        self.outbox.rewind()
        self.boot = hello.boot
        self.away = ""
        self.wake()
        return restarted

    def acknowledge(self, ack: Ack) -> None:
        """The peer says what arrived. Raises FrameError."""
        self.outbox.acknowledge(ack)
        if ack.gap:
            self.outbox.rewind()
        if self._rooms:
            for path in [path for path in self._rooms if self.outbox.has_room(path)]:
                self._rooms.pop(path).set()
        self.wake()

    def suspend(self, reason: str) -> None:
        """The peer is down. What is under way is kept, in case that it comes back in the same life."""
        self.away = reason
        self.questions.lost(reason)
        self.watches.lost(reason)
        self._free_rooms()

    def lose(self, reason: str) -> None:
        """The peer's life has ended, and all that was under way with it: what was told becomes dead letters."""
        self.questions.lost(reason)
        self.watches.lost(reason)
        self.questions.forget()
        self.watches.forget()
        office = self.system.dead_letters
        for parcel in self.outbox.reset():
            if parcel.path and parcel.run is None:
                office.post(Reason.UNREACHABLE, Address(self.node, parcel.path), parcel.message)
        for path, waiting in self.inbox.reset().items():
            for item in waiting:
                if item is not GHOST:
                    office.post(Reason.OVERFLOW, Address(self.local.node, path), item)
        self._free_rooms()

    async def goes_on(self, seconds: float) -> str:
        """Wait so long whether the peer goes on speaking by the channel that it has opened before: return where from.

        Empty where it does not. Who connects anew has let go of that one, or is dead; two that speak are two machines.
        """
        visit, began = self._visit, anyio.current_time()
        if visit is None or self.heard_at < began - seconds:
            return ""
        with anyio.move_on_after(seconds):
            await visit.over.wait()
        speaks = not visit.over.is_set() and self.heard_at > began
        return (visit.channel.peer.address or "somewhere") if speaks else ""

    def visit(self, channel: Channel) -> Visit:
        """The peer has opened a channel, which takes the place of one that it opened before."""
        if self._visit is not None:
            self._visit.end()
        self._visit = Visit(channel)
        self._visited.set()
        return self._visit

    def hang_up(self) -> None:
        """Close the channel that the peer has opened, if there is one; it may open another."""
        if self._visit is not None:
            self._visit.end()

    @property
    def hung_up(self) -> bool:
        """Whether the channel that the peer opened was closed by this side."""
        return self._visit is not None and self._visit.over.is_set()

    async def visited(self) -> Visit:
        """Wait until the peer has opened a channel, and take that."""
        while self._visit is None or self._visit.over.is_set():
            self._visited = anyio.Event()
            await self._visited.wait()
        return self._visit

    def _free_rooms(self) -> None:
        for room in self._rooms.values():
            room.set()
        self._rooms.clear()
