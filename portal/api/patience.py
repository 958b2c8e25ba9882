"""Patience with those who guess: how often an address, a token or a user failed of late, and what is said to that."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Network, ip_address

from portal.api.problems import Problem

FAILURES = 10
FAILURE_PERIOD = 60.0
MOST_REMEMBERED = 10_000


@dataclass(slots=True)
class Failures:
    """Failures by whose they are, as a network or a user, within the last minute, for a bounded number of them."""

    _seen: OrderedDict[str, list[float]] = field(default_factory=OrderedDict)

    def count(self, whose: str, now: float) -> None:
        """Remember one more."""
        self._seen[whose] = [*self._recent(whose, now), now][-FAILURES:]
        self._seen.move_to_end(whose)
        if len(self._seen) > MOST_REMEMBERED:
            self._seen.popitem(last=False)

    def forgive(self, whose: str, at: float) -> None:
        """Take back what was counted at that time."""
        times = self._seen.get(whose, [])
        if at in times:
            times.remove(at)

    def pause(self, whose: str, now: float) -> float:
        """Seconds until they may fail again; 0 where they may now."""
        recent = self._recent(whose, now)
        return recent[0] + FAILURE_PERIOD - now if len(recent) >= FAILURES else 0.0

    def turn_away(self, address: str, now: float, problem: Problem) -> Problem:
        """Count a failure: `problem` is the answer, or where there were too many, that one has to wait."""
        network = network_of(address)
        pause = self.pause(network, now)
        if pause > 0:
            return too_many(f"from {network}", pause, "a good token")
        self.count(network, now)
        return problem

    def _recent(self, whose: str, now: float) -> list[float]:
        return [at for at in self._seen.get(whose, ()) if now - at < FAILURE_PERIOD]


def too_many(whose: str, pause: float, needed: str) -> Problem:
    """The answer to who has to wait for `pause` seconds."""
    seconds = max(1, round(pause))
    text = f"too many failed sign-ins {whose}; try again in {seconds} s with {needed}"
    return Problem("unauthorized", text, status=429, headers={"retry-after": str(seconds)})


def network_of(address: str) -> str:
    """What the failures of an address are counted by: of IPv6 the network of 64 bits, all of which one customer has."""
    try:
        found = ip_address(address)
    except ValueError:
        return address  # a socket that has none
    if isinstance(found, IPv4Address) or found.ipv4_mapped:
        return address
    return str(IPv6Network((int(found) >> 64 << 64, 64)))


def address_of(scope: Mapping[str, object]) -> str:
    """The address that a request came from; empty at a socket that has none."""
    client = scope.get("client")
    return str(client[0]) if isinstance(client, tuple | list) and client else ""
