"""Who is told of an incarnation's end."""

from __future__ import annotations

from collections.abc import Callable

from supervisor.address import Address
from supervisor.envelope import Envelope
from supervisor.message import Terminated

NO_SUCH_ACTOR = "no such actor"


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
