"""Who may call the engine now: so many at a time, and first those who finish what was begun."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio


class Gate:
    """At most `capacity` callers inside. Of those who wait, the `finishing` go first; else first come, first served.

    A start is what takes an engine its time, and a create what makes one possible: were thirty containers made before
    the first of them is started, the engine would idle meanwhile.
    """

    def __init__(self, capacity: int) -> None:
        self._free = capacity
        self._finishing: deque[anyio.Event] = deque()
        self._beginning: deque[anyio.Event] = deque()

    @asynccontextmanager
    async def pass_through(self, *, finishing: bool) -> AsyncIterator[None]:
        """Be inside within the context. Cancelled while it waits, it takes nobody's turn."""
        await self._enter(self._finishing if finishing else self._beginning)
        try:
            yield
        finally:
            self._leave()

    async def _enter(self, queue: deque[anyio.Event]) -> None:
        if self._free:
            self._free -= 1
            return
        turn = anyio.Event()
        queue.append(turn)
        try:
            await turn.wait()
        except BaseException:
            if turn.is_set():  # the turn came with the cancellation: it is the next one's
                self._leave()
            else:
                queue.remove(turn)
            raise

    def _leave(self) -> None:
        queue = self._finishing or self._beginning
        if queue:
            queue.popleft().set()
        else:
            self._free += 1
