"""What a person who mistyped a name may have meant. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import nsmallest

MOST = 200
"""So many names are compared at most, for comparing is slow: 10,000 would hold everybody up for a second."""
LONGEST = 100


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The name that is most like this one, empty where none is. `cutoff` is how alike it has to be, from 0 to 1.

    Of more than `MOST` names that are about as long those are compared that begin alike.
    """
    if not name or len(name) > LONGEST:
        return ""
    import difflib  # only who mistyped pays for it

    # No two texts are more alike than their lengths.
    alike = (one for one in known if 2 * min(len(one), len(name)) >= cutoff * (len(one) + len(name)))
    close = nsmallest(MOST, alike, key=lambda one: (-_shared(name, one), one))
    return next(iter(difflib.get_close_matches(name, close, n=1, cutoff=cutoff)), "")


def _shared(one: str, other: str) -> int:
    """How many letters both begin with."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
