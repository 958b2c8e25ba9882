"""What a supervisor is told of its children, in the words of Erlang's `supervisor` behaviour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from supervisor.actor import Actor


class Restart(StrEnum):
    """When a child that ended by itself is started again."""

    PERMANENT = "permanent"
    """Always."""
    TRANSIENT = "transient"
    """After a crash or a kill, not after an orderly stop of its own."""
    TEMPORARY = "temporary"
    """Never."""


class Strategy(StrEnum):
    """Who is restarted with a child that failed."""

    ONE_FOR_ONE = "one_for_one"
    """The child alone."""
    ONE_FOR_ALL = "one_for_all"
    """All children."""
    REST_FOR_ONE = "rest_for_one"
    """The child and those started after it."""


@dataclass(frozen=True, slots=True)
class SupervisorSpec:
    """A supervisor and its children, started from left to right and stopped from right to left.

    More than `intensity` restarts within `period` seconds, counted for all children together, and the supervisor
    stops them and fails itself: its own supervisor decides. Raises ValueError for what cannot be.
    """

    strategy: Strategy = Strategy.ONE_FOR_ONE
    children: tuple[ChildSpec, ...] = ()
    intensity: int = 1
    period: float = 5.0

    def __post_init__(self) -> None:
        if self.intensity < 0 or self.period <= 0:
            raise ValueError(f"{self.intensity} restarts in {self.period} s: give no fewer than 0 in more than 0 s")
        ids = [child.id for child in self.children]
        if len(set(ids)) < len(ids):
            raise ValueError(f"children share an id: {', '.join(ids)}")


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """One child: what makes it (a new actor for each incarnation, or a supervisor), and how it is kept.

    `shutdown` is how many seconds an orderly stop may take before the child is killed: 0 kills it at once, None waits
    for ever. A supervisor is always waited for unless it is 0, since its children have limits of their own.
    """

    id: str
    factory: Callable[[], Actor] | SupervisorSpec
    restart: Restart = Restart.PERMANENT
    shutdown: float | None = 5.0

    def __post_init__(self) -> None:
        if not self.id or "/" in self.id:
            raise ValueError(f"{self.id!r} cannot name a child: an id is not empty and has no slash")


def dynamic() -> SupervisorSpec:
    """Children come and go at runtime; a crash of one is its own affair, up to a rate that no single one reaches."""
    return SupervisorSpec(intensity=200, period=60.0)
