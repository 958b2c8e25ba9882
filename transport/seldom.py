"""Says how often something is to be logged that anybody may cause: ever more seldom."""

from __future__ import annotations

MOST = 1000


class Seldom:
    """Counts by text. Of too many texts the count begins anew: what is kept stays small."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def due(self, text: str) -> bool:
        """Whether to log it this time: the first, second, fourth, eighth, ... time."""
        if len(self._counts) >= MOST:
            self._counts.clear()
        count = self._counts[text] = self._counts.get(text, 0) + 1
        return count & (count - 1) == 0
