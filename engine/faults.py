"""Bad luck for a fake engine, by chance but repeatable: the same seed and the same calls fail alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random


@dataclass(slots=True)
class Faults:
    """How often what goes wrong: chances are between 0 and 1, times in seconds.

    `before` fails a call that did nothing, `after` one that did all: its caller cannot tell them apart. `slow` makes
    a call wait up to `slowest` before or after its effect. `stream` breaks an event stream in the place of an event.
    """

    random: Random = field(default_factory=lambda: Random(0))
    before: float = 0.0
    after: float = 0.0
    slow: float = 0.0
    slowest: float = 1.0
    stream: float = 0.0

    def fails_before(self) -> bool:
        return self._happens(self.before)

    def fails_after(self) -> bool:
        return self._happens(self.after)

    def breaks_stream(self) -> bool:
        return self._happens(self.stream)

    def delay(self) -> float:
        return self.random.uniform(0.0, self.slowest) if self._happens(self.slow) else 0.0

    def _happens(self, chance: float) -> bool:
        return chance > 0.0 and self.random.random() < chance
