"""The machines that meet certain terms: kept for all services of the same terms."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter

from cluster.ask import Terms
from cluster.constraints import value_of
from cluster.objections import standing
from cluster.seats import Rank, Seat

Path = tuple[str, ...]


class Pool:
    """Machines by the `path` of their values of what is spread over; the `leaves` are the paths that there are."""

    def __init__(self, terms: Terms, seats: Iterable[Seat]) -> None:
        self.packs, self.apart = terms.packs, terms.apart
        self.spread = terms.spread
        self.rank: Callable[[Seat], Rank] = Seat.packed if terms.packs else attrgetter("rank")
        self.paths: dict[str, Path] = {}
        alike: dict[object, bool] = {}  # of machines that terms cannot tell apart one is judged
        for seat in seats:
            node = seat.node
            api = node.engine_api if terms.needs else ""
            look = node.status, node.availability, api, *[value_of(node, one.key) for one in terms.constraints]
            if look not in alike:
                alike[look] = not any(standing(node, terms))
            if alike[look]:
                self.paths[node.id] = self._path(seat)
        self.leaves = set(self.paths.values())

    def path(self, seat: Seat) -> Path:
        """A machine's values of what is spread over; a label that it lacks is a value as any."""
        return self.paths.get(seat.node.id) or self._path(seat)

    def _path(self, seat: Seat) -> Path:
        return tuple([value_of(seat.node, key) or "" for key in self.spread])
