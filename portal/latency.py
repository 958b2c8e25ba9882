"""How long something takes, counted so that a percentile can be told from it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Latency:
    """A histogram of seconds. `observe` is called from the event loop's thread."""

    def __init__(self, name: str, help: str, bounds: Sequence[float] = BOUNDS) -> None:
        self.name = name
        self.help = help
        self.total = 0.0
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)

    def observe(self, seconds: float) -> None:
        """Count one more."""
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self.total += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """For each bound how many took no longer than that, and for `+Inf` how many there were."""
        labels = [*(str(bound) for bound in self._bounds), "+Inf"]
        running, rows = 0, []
        for label, count in zip(labels, self._counts, strict=True):
            running += count
            rows.append((label, float(running)))
        return rows
