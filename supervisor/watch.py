"""Who is told of an incarnation's end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from supervisor.address import Address
from supervisor.envelope import Envelope
from supervisor.message import Terminated

NO_SUCH_ACTOR = "no such actor"


class Watcher(Protocol):
    """Whoever is told of the end of an incarnation."""

    def notify(self, incarnation: int, reason: str, /) -> None:
        """It has ended. Called once; must not block or raise."""


class Watched(Protocol):
    """Who will tell: an incarnation of this node, or the way to another node."""

    def forget_watch(self, watch: Watch, /) -> None:
        """The watch has ended; unknown is fine."""


class Watch:
    """One actor's watch over one incarnation: notice given once, unless it is ended before that is read."""

    __slots__ = ("_forget", "_put", "live", "target")

    def __init__(self, target: Address, put: Callable[[Envelope], bool], forget: Callable[[Watch], None]) -> None:
        self.target = target
        self.live = True
        self._put = put
        self._forget = forget

    def notify(self, incarnation: int, reason: str) -> None:
        """Tell the watcher."""
        self._put(Envelope(Terminated(str(self.target), incarnation, reason), source=self))

    def take(self) -> bool:
        """Return whether the notice is still wanted: after `unwatch` it is not."""
        if self.live:
            self._forget(self)
        return self.live
