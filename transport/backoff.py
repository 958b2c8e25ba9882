"""How long to wait before the next attempt."""

from __future__ import annotations

from random import Random

FIRST, MOST = 0.05, 5.0


def pause(failures: int, random: Random, most: float = MOST) -> float:
    """Return the seconds to wait after so many failures in a row: doubled each time up to `most`, half of it luck.

    The luck keeps those apart who failed together.
    """
    whole = min(most, FIRST * 2.0 ** min(failures, 16))
    return whole * (0.5 + random.random() / 2)
