"""What a link needs of a network: bytes there and back, in order, with a peer whose name was checked.

ChannelClosed    there is no connection, or no more; the text says why, as far as anybody knows
└── Dismissed    and there will be none: the peer says that this node is no member of its cluster any more
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol


class ChannelClosed(Exception):
    """No bytes come or go any more. What was sent last may have arrived or not."""


class Dismissed(ChannelClosed):
    """The peer, which has proven to be a manager, has removed this node from the cluster."""


@dataclass(frozen=True, slots=True)
class Peer:
    """The node at the other end, as its certificate or token proved it, and for how many seconds that is good.

    `address` is where it came from, for people; empty where that is not known.
    """

    node: str
    lasts: float = field(default=math.inf, compare=False)
    address: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Somebody who could not prove to be a node of this cluster.

    `reason` is for this side's log; the peer is told `said`. `dismissed`: it proved to be one that was removed.
    """

    reason: str
    said: str
    dismissed: bool = False


Authenticate = Callable[[Mapping[str, str]], Peer | Refusal]
"""Says who sent a request with these headers (names in lower case). Must not block or raise."""


class Channel(Protocol):
    """A connection. One task sends, one receives; either may be cancelled, after which the channel is to be closed.

    Chunks are not kept apart: several may arrive as one. Bytes arrive in the order they were sent or not at all.
    """

    @property
    def peer(self) -> Peer:
        """Who is at the other end."""

    @property
    def conduit(self) -> str:
        """The conduit that it was opened for; empty for a link."""

    async def send(self, data: bytes, /) -> None:
        """Send, waiting while the network is behind. Raises ChannelClosed."""

    async def receive(self) -> bytes:
        """Return the next bytes, at least one. Raises ChannelClosed."""

    def close(self) -> None:
        """Let go of the connection, here and there. Idempotent, never waits."""


Dial = Callable[[], AbstractAsyncContextManager[Channel]]
"""Opens a channel to one peer, and closes it in the end. Raises ChannelClosed where that cannot be done."""

Accept = Callable[[Channel], Awaitable[None]]
"""Takes a channel that a peer has opened, and returns when it is closed."""
