"""The machines that meet certain terms, the best first: kept for all services of the same terms.

Ranks change as tasks come and go. A machine whose rank got better is entered again at once; one whose rank got worse is
found out when it comes to the top. So a task costs about as much as the logarithm of the number of machines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush, heapreplace
from operator import attrgetter

from cluster.ask import Terms
from cluster.constraints import value_of
from cluster.objections import standing
from cluster.seats import Rank, Seat

Path = tuple[str, ...]
# One change in so many machines: from there on it is cheaper to look at all of them.
MANY = 3


class Pool:
    """Heaps of ranks, one for each combination of values that is spread over: the `leaves`, by their `path`."""

    def __init__(self, terms: Terms, seats: Iterable[Seat]) -> None:
        self.packs, self.apart = terms.packs, terms.apart
        self.spread = terms.spread
        self.rank: Callable[[Seat], Rank] = Seat.packed if terms.packs else attrgetter("rank")
        self.paths: dict[str, Path] = {}
        self._members: defaultdict[Path, list[Seat]] = defaultdict(list)
        alike: dict[object, bool] = {}  # of machines that terms cannot tell apart one is judged
        for seat in seats:
            node = seat.node
            api = node.engine_api if terms.needs else ""
            look = node.status, node.availability, api, *[value_of(node, one.key) for one in terms.constraints]
            if look not in alike:
                alike[look] = not any(standing(node, terms))
            if alike[look]:
                path = self.paths[node.id] = self._path(seat)
                self._members[path].append(seat)
        self.leaves: dict[Path, list[Rank]] = {}
        self._begun = 0
        self._begin()

    def begin(self, changes: int) -> None:
        """Before a search, when so many tasks have come and gone: where most ranks are old, all are taken anew."""
        if (changes - self._begun) * MANY > len(self.paths):
            self._begun = changes
            self._begin()

    def _begin(self) -> None:
        self.leaves = {path: [self.rank(seat) for seat in seats] for path, seats in self._members.items()}
        for ranks in self.leaves.values():
            heapify(ranks)

    def path(self, seat: Seat) -> Path:
        """A machine's values of what is spread over; a label that it lacks is a value as any."""
        return self.paths.get(seat.node.id) or self._path(seat)

    def _path(self, seat: Seat) -> Path:
        return tuple([value_of(seat.node, key) or "" for key in self.spread])

    def enter(self, seat: Seat) -> None:
        """Note that a machine's rank got better, or that it is to be found again."""
        path = self.paths.get(seat.node.id)
        if path is not None:
            heappush(self.leaves[path], self.rank(seat))

    def settle(self, leaf: list[Rank], seat: Seat) -> bool:
        """Whether the rank on top of a leaf is what the machine has now; else it is put right."""
        rank = self.rank(seat)
        if leaf[0] == rank:
            return True
        if leaf[0] < rank:
            heapreplace(leaf, rank)
        else:  # a better one than it has was entered when it was so
            heappop(leaf)
        return False
