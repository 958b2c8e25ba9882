"""Measures how late the event loop is: what holds it up holds up every actor of the node."""

from __future__ import annotations

import anyio

from portal.meters import Meters
from supervisor.actor import Actor, Context

EVERY = 1.0


class Pulse(Actor):
    """Asks to be woken once a second, notes by how much later it was, and lets the meters settle."""

    def __init__(self, meters: Meters) -> None:
        self._meters = meters

    async def started(self, ctx: Context) -> None:
        """Begin to measure."""
        ctx.spawn("beat", self._beat)

    async def _beat(self) -> None:
        while True:
            due = anyio.current_time() + EVERY
            await anyio.sleep_until(due)
            self._meters.observe("lag", max(0.0, anyio.current_time() - due))
            await self._meters.settle()
