"""Patience with those who guess: how often an address, a token or a user failed of late, and what is said to that."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from portal.api.problems import Problem

FAILURES = 10
FAILURE_PERIOD = 60.0
MOST_ADDRESSES = 10_000


@dataclass(slots=True)
class Failures:
    """Failures by whose they are, as an address or a user, within the last minute, for a bounded number of them."""

    _seen: OrderedDict[str, list[float]] = field(default_factory=OrderedDict)

    def count(self, address: str, now: float) -> None:
        """Remember one more."""
        self._seen[address] = [*self._recent(address, now), now][-FAILURES:]
        self._seen.move_to_end(address)
        if len(self._seen) > MOST_ADDRESSES:
            self._seen.popitem(last=False)

    def forgive(self, address: str, at: float) -> None:
        """Take back what was counted at that time."""
        times = self._seen.get(address, [])
        if at in times:
            times.remove(at)

    def pause(self, address: str, now: float) -> float:
        """Seconds until the address may fail again; 0 where it may now."""
        recent = self._recent(address, now)
        return recent[0] + FAILURE_PERIOD - now if len(recent) >= FAILURES else 0.0

    def turn_away(self, address: str, now: float, problem: Problem) -> Problem:
        """Count a failure: `problem` is the answer, or where there were too many, that one has to wait."""
        pause = self.pause(address, now)
        if pause > 0:
            return too_many(f"from {address}", pause, "a good token")
        self.count(address, now)
        return problem

    def _recent(self, address: str, now: float) -> list[float]:
        return [at for at in self._seen.get(address, ()) if now - at < FAILURE_PERIOD]


def too_many(whose: str, pause: float, needed: str) -> Problem:
    """The answer to who has to wait for `pause` seconds."""
    seconds = max(1, round(pause))
    text = f"too many failed sign-ins {whose}; try again in {seconds} s with {needed}"
    return Problem("unauthorized", text, status=429, headers={"retry-after": str(seconds)})


def address_of(scope: Mapping[str, object]) -> str:
    """The address that a request came from; empty at a socket that has none."""
    client = scope.get("client")
    return str(client[0]) if isinstance(client, tuple | list) and client else ""
