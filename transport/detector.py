"""Is the peer alive? Told what was heard and when, says what to think of it. Without I/O and without a clock."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """What to think of a peer."""

    UP = "up"
    SUSPECT = "suspect"
    """Some beats are missing: the connection may be broken."""
    DOWN = "down"
    """Nothing was heard for the whole time-out."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a node beats, and how much silence means what. Seconds; `suspect` is a number of missed beats.

    `ended` is the time-out where the silence began with the end of the connection, by the peer's own system: a process
    has ended on a machine that lives, and is most likely started again.
    """

    beat: float = 0.5
    suspect: int = 4
    timeout: float = 5.0
    ended: float = 15.0

    def __post_init__(self) -> None:
        if not 0 < self.beat * self.suspect <= self.timeout:
            raise ValueError(
                f"{self.suspect} beats of {self.beat:g} s do not fit into a time-out of {self.timeout:g} s: "
                "beat more often, or wait longer"
            )

    @property
    def look(self) -> float:
        """How often to call `Detector.look`."""
        return self.beat / 2


class Detector:
    """One peer's silence. Times are seconds of any one clock.

    A silence that our own process slept through (it was stopped, or its machine was) says nothing about the peer: where
    a look comes late, the time it is late by does not count.
    """

    def __init__(self, rhythm: Rhythm, now: float) -> None:
        self.rhythm = rhythm
        self._heard = now
        self._looked = now
        self._ended = False

    @property
    def timeout(self) -> float:
        """How much silence means that the peer is down."""
        return max(self.rhythm.ended, self.rhythm.timeout) if self._ended else self.rhythm.timeout

    def heard(self, now: float) -> None:
        """The peer said something."""
        self._heard = now
        self._ended = False

    def ended(self) -> None:
        """The peer's system closed the connection."""
        self._ended = True

    def look(self, now: float) -> Health:
        """Say what to think of the peer. To be called each `rhythm.look` seconds, whatever happens."""
        late = now - self._looked - self.rhythm.look
        if late > self.rhythm.beat:
            self._heard = min(now, self._heard + late)
        self._looked = now
        return self.health(now)

    def health(self, now: float) -> Health:
        """Say what to think of the peer, between two looks."""
        silence = now - self._heard
        if silence >= self.timeout:
            return Health.DOWN
        if silence >= self.rhythm.beat * self.rhythm.suspect:
            return Health.SUSPECT
        return Health.UP
