"""The conduits of a node: those that it waits for others to open, and those that it opens itself.

A manager never dials a worker. It expects a conduit, asks the worker by the link to open it, and knows by the name that
the worker's channel brings what it is for.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from secrets import token_hex

import anyio

from transport.channel import Accept, Channel, ChannelClosed, Dial
from transport.conduit import Conduit
from transport.events import PeerDown, PeerEvent, PeerRestarted

OPEN_SECONDS = 10.0

log = logging.getLogger(__name__)


class Expected:
    """A conduit that `node` is to open, by the name `id`."""

    def __init__(self, id: str, node: str) -> None:
        self.id = id
        self.node = node
        self._conduit: Conduit | None = None
        self._failure = ""
        self._settled = anyio.Event()

    async def conduit(self) -> Conduit:
        """Wait until it was opened, for some seconds at most. Raises ChannelClosed."""
        with anyio.move_on_after(OPEN_SECONDS):
            await self._settled.wait()
        if self._conduit is None:
            raise ChannelClosed(self._failure or f"{self.node} did not open the stream within {OPEN_SECONDS:g} s")
        return self._conduit

    def opened(self, conduit: Conduit) -> None:
        """It is there."""
        self._conduit = conduit
        self._settled.set()

    def end(self, reason: str) -> None:
        """It is not waited for any more; if it is there, it is closed."""
        self._failure = reason
        self._settled.set()
        if self._conduit is not None:
            self._conduit.close(reason)


async def no_links(channel: Channel) -> None:
    """Take no link: for a node that others open none to."""
    channel.close()


class Conduits:
    """All of a node. Channels that are for no conduit are passed on to `links`."""

    def __init__(self, links: Accept = no_links) -> None:
        self._links = links
        self._expected: dict[str, Expected] = {}
        self._open: defaultdict[str, set[Conduit]] = defaultdict(set)

    def __len__(self) -> int:
        return sum(map(len, self._open.values()))

    async def accept(self, channel: Channel) -> None:
        """Take a channel that a peer has opened, and return when it is closed.

        A conduit is given once, to who expects it of that very peer.
        """
        if not channel.conduit:
            await self._links(channel)
            return
        expected = self._expected.get(channel.conduit)
        if expected is None or expected.node != channel.peer.node:
            log.warning("nobody waits for the conduit that %s has opened: it came too late", channel.peer.node)
            channel.close()
            return
        del self._expected[channel.conduit]
        with self._known(Conduit(channel)) as conduit:
            expected.opened(conduit)
            await conduit.run()

    @contextmanager
    def expect(self, node: str) -> Iterator[Expected]:
        """Wait for a conduit that the node is asked for inside the context. It is closed in the end."""
        expected = Expected(token_hex(16), node)
        self._expected[expected.id] = expected
        try:
            yield expected
        finally:
            self._expected.pop(expected.id, None)
            expected.end("closed")

    @asynccontextmanager
    async def open(self, dial: Dial) -> AsyncIterator[Conduit]:
        """Open a conduit to a peer, and close it in the end. Raises ChannelClosed where that cannot be done.

        Exceptions must not leave the context: a task group would wrap them.
        """
        async with dial() as channel:
            with self._known(Conduit(channel)) as conduit:
                async with anyio.create_task_group() as group:
                    group.start_soon(conduit.run)
                    try:
                        yield conduit
                    finally:
                        conduit.close()

    def heed(self, event: PeerEvent) -> None:
        """Take notice of what a link tells: with it, or with the peer's life, end the conduits."""
        match event:
            case PeerDown(node, reason):
                self.hang_up(node, reason)
            case PeerRestarted(node):
                self.hang_up(node, f"{node} has restarted")

    def hang_up(self, node: str, reason: str) -> None:
        """End all conduits to a node that was removed, or whose link is lost."""
        for expected in [one for one in self._expected.values() if one.node == node]:
            expected.end(reason)
        for conduit in list(self._open.get(node, ())):
            conduit.close(reason)

    @contextmanager
    def _known(self, conduit: Conduit) -> Iterator[Conduit]:
        node = conduit.channel.peer.node
        self._open[node].add(conduit)
        try:
            yield conduit
        finally:
            conduit.close()
            self._open[node].discard(conduit)
            if not self._open[node]:
                del self._open[node]
