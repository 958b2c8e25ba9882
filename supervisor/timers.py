"""Timers of one incarnation: messages to itself, later."""

from __future__ import annotations

from collections.abc import Callable

import anyio

from supervisor.alarms import Alarms
from supervisor.envelope import Envelope


class Timer:
    """One running timer: the alarm, and the source of its ticks."""

    __slots__ = ("_interval", "_message", "_moment", "_queued", "_timers", "key", "live")

    def __init__(self, timers: Timers, key: str, moment: float, interval: float | None, message: object) -> None:
        self.key = key
        self.live = True
        self._timers = timers
        self._moment = moment
        self._interval = interval
        self._message = message
        self._queued = False

    def ring(self) -> None:
        """Put a tick into the mailbox, unless the last one still waits there, and plan the next."""
        if not self.live:
            return
        if not self._queued:
            self._queued = self._timers.put(Envelope(self._message, source=self))
        if self._interval is not None:
            late = anyio.current_time() - self._moment
            self._moment += self._interval * (1 + late // self._interval)
            self._timers.alarms.set(self._moment, self)

    def take(self) -> bool:
        """Return whether the tick is still wanted: a cancelled or replaced timer's is not."""
        self._queued = False
        if self.live and self._interval is None:
            self._timers.cancel(self.key)
            return True
        return self.live

    def stop(self) -> None:
        """Tick no more."""
        self.live = False
        self._timers.alarms.cancel(self._moment, self)


class Timers:
    """Keyed timers; starting one under a key replaces the one that ran under it.

    Ticks are read from the mailbox in their turn, beyond its capacity if need be. They die with the incarnation. The
    messages never leave the actor, so that they need no wire tag.
    """

    def __init__(self, alarms: Alarms, put: Callable[[Envelope], bool]) -> None:
        self.alarms = alarms
        self.put = put
        self._timers: dict[str, Timer] = {}

    def start(self, key: str, seconds: float, message: object) -> None:
        """Send `message` to the actor once, after that time."""
        self._set(key, seconds, None, message)

    def every(self, key: str, seconds: float, message: object) -> None:
        """Send `message` to the actor each `seconds`, without drift, until cancelled.

        A tick that comes due while the last one still waits in the mailbox is left out.
        """
        if seconds <= 0:
            raise ValueError(f"a timer every {seconds} s would never let go: give it a positive interval")
        self._set(key, seconds, seconds, message)

    def cancel(self, key: str) -> None:
        """Stop a timer, its waiting tick included; unknown is fine."""
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.stop()

    def cancel_all(self) -> None:
        """Stop every timer."""
        for key in list(self._timers):
            self.cancel(key)

    def _set(self, key: str, seconds: float, interval: float | None, message: object) -> None:
        self.cancel(key)
        moment = anyio.current_time() + max(seconds, 0.0)
        timer = self._timers[key] = Timer(self, key, moment, interval, message)
        self.alarms.set(moment, timer)
