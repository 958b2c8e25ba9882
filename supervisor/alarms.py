"""One sleeper for every deadline of a system.

A timer or a cancel scope for each ask would cost more than the ask. Here an alarm is an entry in a dictionary, most are
removed unrung, and one task sleeps until the earliest moment that has any.
"""

from __future__ import annotations

import heapq
import math
from typing import Protocol

import anyio

# Deadlines of asks are rounded up to this, so that many of them share a moment. A power of two: sums stay exact.
RESOLUTION = 1 / 128


class Alarm(Protocol):
    """Something to be done at a moment."""

    def ring(self) -> None:
        """Do it. Runs on the event loop: must not block or raise."""


def coarse(moment: float) -> float:
    """Return the moment rounded up to `RESOLUTION`."""
    return math.ceil(moment / RESOLUTION) * RESOLUTION


class Alarms:
    """Alarms by moment, in seconds of `anyio.current_time()`. Those of one moment ring in the order they were set."""

    def __init__(self) -> None:
        self._due: dict[float, dict[Alarm, None]] = {}
        self._moments: list[float] = []
        self._sleeping_until = -math.inf
        self._earlier = anyio.Event()

    def set(self, moment: float, alarm: Alarm) -> None:
        """Let the alarm ring at the moment, or at once where that has passed."""
        due = self._due.get(moment)
        if due is None:
            due = self._due[moment] = {}
            heapq.heappush(self._moments, moment)
            if moment < self._sleeping_until:
                self._earlier.set()
        due[alarm] = None

    def cancel(self, moment: float, alarm: Alarm) -> None:
        """Forget an alarm; unknown is fine."""
        due = self._due.get(moment)
        if due is not None:
            due.pop(alarm, None)

    async def run(self) -> None:
        """Ring alarms when they are due, until cancelled."""
        while True:
            self._earlier = anyio.Event()
            self._sleeping_until = self._moments[0] if self._moments else math.inf
            with anyio.CancelScope(deadline=self._sleeping_until):
                await self._earlier.wait()
            if anyio.current_time() >= self._sleeping_until:
                self._ring(anyio.current_time())

    def _ring(self, now: float) -> None:
        # Moments that lost all their alarms go only here. Were they forgotten whenever the sleeper looks, every ask of
        # an idle system, answered before the sleeper has turned over, would wake it again.
        while self._moments and (self._moments[0] <= now or not self._due[self._moments[0]]):
            for alarm in self._due.pop(heapq.heappop(self._moments)):
                alarm.ring()
