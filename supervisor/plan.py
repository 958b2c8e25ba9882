"""Which children stop and start when one has failed, and when that has happened too often. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from supervisor.spec import Restart, Strategy


@dataclass(frozen=True, slots=True)
class Plan:
    """Child ids in the order to act on: `stop`, then `remove` (temporary ones, for good), then `start`."""

    stop: tuple[str, ...]
    remove: tuple[str, ...]
    start: tuple[str, ...]


def plan(strategy: Strategy, children: Mapping[str, Restart], failed: str) -> Plan:
    """Return what restarts `failed`, which is to be restarted. `children` are in the order of their start.

    What stops does so from right to left, what starts from left to right. A temporary child that stops with its
    siblings is removed. Raises KeyError where no child has that id.
    """
    ids = list(children)
    if failed not in children:
        raise KeyError(failed)
    if strategy is Strategy.ONE_FOR_ONE:
        return Plan((), (), (failed,))
    affected = ids if strategy is Strategy.ONE_FOR_ALL else ids[ids.index(failed) :]
    stay = [id for id in affected if id == failed or children[id] is not Restart.TEMPORARY]
    return Plan(
        stop=tuple(id for id in reversed(affected) if id != failed),
        remove=tuple(id for id in affected if id not in stay),
        start=tuple(stay),
    )


def wants_restart(restart: Restart, *, abnormal: bool) -> bool:
    """Return whether a child that ended by itself is started again."""
    return restart is Restart.PERMANENT or (restart is Restart.TRANSIENT and abnormal)


@dataclass(frozen=True, slots=True)
class RestartWindow:
    """The restarts of the last `period` seconds, oldest first: at most `intensity` are allowed."""

    intensity: int
    period: float
    restarts: tuple[float, ...] = ()

    def record(self, now: float) -> RestartWindow:
        """Return the window with one more restart, at `now`, and without those that are too old to count."""
        recent = tuple(at for at in self.restarts if now - at <= self.period)
        return RestartWindow(self.intensity, self.period, (*recent, now))

    @property
    def exceeded(self) -> bool:
        """Whether there were more restarts than allowed."""
        return len(self.restarts) > self.intensity
