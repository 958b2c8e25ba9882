"""Where blocking calls run: one at a time, off the event loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, lowlevel, to_thread

T = TypeVar("T")


class Worker:
    """Runs blocking calls in the order in which they were asked for, never two at once.

    With `threaded` False they run on the caller's thread: virtual time does not wait for a thread, so a simulation
    must not use one. Cancellation is taken before a call starts; a call that has started is waited for.
    """

    def __init__(self, *, threaded: bool) -> None:
        self._limiter = CapacityLimiter(1)
        self._threaded = threaded

    async def run(self, call: Callable[[], T]) -> T:
        """Return what `call` returns, or raise what it raises."""
        if self._threaded:
            return await to_thread.run_sync(call, limiter=self._limiter)
        await lowlevel.checkpoint()
        return call()
