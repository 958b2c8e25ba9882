"""Wakes all tasks that wait for something to change."""

from __future__ import annotations

import anyio


class Pulse:
    """An event is made only where somebody waits: most changes are waited for by nobody."""

    def __init__(self) -> None:
        self._next: anyio.Event | None = None

    async def wait(self) -> None:
        """Wait for the next beat."""
        if self._next is None:
            self._next = anyio.Event()
        await self._next.wait()

    def beat(self) -> None:
        """Wake who waits."""
        if self._next is not None:
            self._next.set()
            self._next = None
