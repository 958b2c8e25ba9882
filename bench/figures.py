"""One figure as one JSON line: ours, the peers and the floor of the same run, and the ratio that carries the claim."""

from __future__ import annotations

import json
import operator
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

RELATIONS = {"<": operator.lt, "<=": operator.le, ">=": operator.ge}


@dataclass(frozen=True, slots=True)
class Goal:
    """`<`, `<=` or `>=` some number."""

    relation: str
    bound: float

    def met(self, value: float) -> bool:
        """Whether the value is on the right side."""
        return bool(RELATIONS[self.relation](value, self.bound))

    def __str__(self) -> str:
        return f"{self.relation} {self.bound:g}"


def report(
    bench: str,
    figure: str,
    value: float,
    unit: str,
    goal: Goal | None = None,
    *,
    ours: float | None = None,
    floor: float | None = None,
    peers: Mapping[str, float] | None = None,
    runs: int = 1,
) -> None:
    """Print one figure. Absolute figures only describe the machine of the day; ratios carry the claim."""
    line = {
        "bench": bench,
        "figure": figure,
        "value": _short(value),
        "unit": unit,
        "goal": str(goal) if goal else None,
        "met": goal.met(value) if goal else None,
        "floor": _short(floor),
        "ours": _short(ours),
        "peers": {name: _short(seconds) for name, seconds in (peers or {}).items()},
        "runs": runs,
    }
    print(json.dumps(line), flush=True)


def median(samples: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(samples)


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
