"""A network in memory, with faults by seed: for simulations in virtual time, and held to the same contract as HTTP/2.

Faults are per direction and chunk, and a chunk is what was sent at once: one that is lost is missing as a whole.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Any, Self

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup

from transport.channel import Accept, Channel, ChannelClosed, Dial, Peer

# Chunks on their way in one direction before a sender waits.
IN_FLIGHT = 64


@dataclass(frozen=True, slots=True)
class Faults:
    """How unkind the network is: the share of chunks that are lost, doubled, or that overtake the one before them, and
    how many seconds each takes.

    No stream of bytes does the first three to what is within it. They stand for what a link must bear whatever is
    below it, and what is sent again over the next connection does come out so.
    """

    drop: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    delay: tuple[float, float] = (0.0, 0.0)


class MemoryNetwork:
    """Nodes that listen, the lines between them, and what goes wrong. The same seed makes the same faults.

    `faults` may be changed at any time. `cut` breaks lines, and new ones can be made; `part` lets nothing through
    between two nodes, silently, until `join`. To be entered by `async with`: who is dialled lives in there.
    """

    def __init__(self, seed: int = 0, faults: Faults = Faults()) -> None:
        self.faults = faults
        self._random = Random(seed)
        self._listeners: dict[str, Accept] = {}
        self._lines: dict[int, Line] = {}
        self._ids = count()
        self._parted: set[frozenset[str]] = set()
        self._group: TaskGroup | None = None

    def listen(self, node: str, accept: Accept) -> None:
        """Let others dial this node. Where it listened already, the new one takes its place, as after a restart."""
        self._listeners[node] = accept

    def hang_up(self, node: str) -> None:
        """The node is gone: it listens no more, and its lines break."""
        self._listeners.pop(node, None)
        self.cut(node)

    def cut(self, node: str, other: str | None = None) -> None:
        """Break all lines of a node, or those between two."""
        for line in list(self._lines.values()):
            if node in line.nodes and (other is None or other in line.nodes):
                line.cut(node)

    def part(self, node: str, other: str) -> None:
        """Lose all that they say to each other from now on."""
        self._parted.add(frozenset((node, other)))

    def join(self, node: str, other: str) -> None:
        """Let them hear each other again."""
        self._parted.discard(frozenset((node, other)))

    def parted(self, nodes: frozenset[str]) -> bool:
        """Whether these two do not hear each other."""
        return nodes in self._parted

    def happens(self, chance: float) -> bool:
        """Whether something does that has this chance (0 to 1)."""
        return chance > 0.0 and self._random.random() < chance

    def delay(self) -> float:
        """How many seconds the next chunk takes."""
        return self._random.uniform(*self.faults.delay)

    def dialer(self, node: str, other: str, conduit: str = "") -> Dial:
        """Return what opens a channel from one node to the other, for a conduit where one is named."""

        @asynccontextmanager
        async def dial() -> AsyncIterator[Channel]:
            accept = self._listeners.get(other)
            if accept is None or self.parted(frozenset((node, other))):
                raise ChannelClosed(f"{other} does not answer")
            line = Line(self, node, other, conduit)
            id = next(self._ids)
            self._lines[id] = line
            self._tasks().start_soon(self._serve, accept, line)
            try:
                yield line.ends[0]
            finally:
                line.close(line.ends[0], "closed")
                del self._lines[id]

        return dial

    async def __aenter__(self) -> Self:
        self._group = await anyio.create_task_group().__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> bool | None:
        group = self._tasks()
        group.cancel_scope.cancel()
        return await group.__aexit__(*error)

    def _tasks(self) -> TaskGroup:
        if self._group is None:
            raise RuntimeError("the network is not there yet: enter it by async with")
        return self._group

    async def _serve(self, accept: Accept, line: Line) -> None:
        try:
            await accept(line.ends[1])
        finally:
            line.close(line.ends[1], "closed by the peer")


class Line:
    """Two ends and what is on its way between them."""

    def __init__(self, network: MemoryNetwork, dialer: str, listener: str, conduit: str) -> None:
        self.network = network
        self.nodes = frozenset((dialer, listener))
        self.ends = (MemoryChannel(self, Peer(listener), conduit), MemoryChannel(self, Peer(dialer), conduit))

    def other(self, end: MemoryChannel) -> MemoryChannel:
        """The end across."""
        return self.ends[0] if end is self.ends[1] else self.ends[1]

    @property
    def parted(self) -> bool:
        """Whether nothing comes through."""
        return self.network.parted(self.nodes)

    def close(self, end: MemoryChannel, reason: str) -> None:
        """Let no more in at an end, and at the other one too, where that hears of it; what is on its way arrives."""
        end.end(reason)
        if not self.parted:
            self.other(end).end(reason)

    def cut(self, node: str) -> None:
        """Break it at that node: what is on its way is lost."""
        ours = next(end for end in self.ends if end.peer.node != node)
        self.close(ours, "the line was cut")
        for end in self.ends:
            end.lose()


class MemoryChannel:
    """One end of a line."""

    def __init__(self, line: Line, peer: Peer, conduit: str) -> None:
        self.peer = peer
        self.conduit = conduit
        self.closed = ""
        self._line = line
        self._arriving: deque[tuple[float, bytes]] = deque()
        self._last = 0.0
        self._change = anyio.Event()
        self._wait: anyio.CancelScope | None = None

    async def send(self, data: bytes) -> None:
        await anyio.lowlevel.checkpoint()
        other = self._line.other(self)
        while len(other._arriving) >= IN_FLIGHT and not self.closed and not other.closed:
            await other._change.wait()
        if other.closed and not self._line.parted:
            self.end(other.closed)  # it was closed while nothing came through
        if self.closed:
            raise ChannelClosed(self.closed)
        network = self._line.network
        if self._line.parted or network.happens(network.faults.drop):
            return
        other._take(data)
        if network.happens(network.faults.duplicate):
            other._take(data)

    async def receive(self) -> bytes:
        if self._due <= anyio.current_time():
            await anyio.lowlevel.checkpoint()
        while self._arriving or not self.closed:
            if self._due <= anyio.current_time():
                chunk = self._arriving.popleft()[1]
                if len(self._arriving) == IN_FLIGHT - 1:
                    self.changed()
                return chunk
            # What arrives meanwhile moves the deadline, so that a chunk wakes its receiver once.
            with anyio.CancelScope(deadline=self._due) as self._wait:
                await self._change.wait()
            self._wait = None
        await anyio.lowlevel.checkpoint()
        raise ChannelClosed(self.closed)

    def close(self) -> None:
        self._line.close(self, "closed")

    def end(self, reason: str) -> None:
        """Let no more in. The first reason counts."""
        if not self.closed:
            self.closed = reason
            self.changed()

    def lose(self) -> None:
        """Forget what is on its way here."""
        self._arriving.clear()
        self.changed()

    def changed(self) -> None:
        """Wake who waits at this end or for it."""
        self._change.set()
        self._change = anyio.Event()

    @property
    def _due(self) -> float:
        """When the next chunk arrives."""
        return self._arriving[0][0] if self._arriving else math.inf

    def _take(self, data: bytes) -> None:
        network = self._line.network
        self._last = max(self._last, anyio.current_time() + network.delay())
        if self._arriving and network.happens(network.faults.reorder):
            moment, before = self._arriving.pop()
            self._arriving.append((moment, data))
            data = before
        self._arriving.append((self._last, data))
        if self._wait is not None:
            self._wait.deadline = self._due
