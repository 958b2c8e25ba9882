"""The search for machines for one service's tasks: the spread first, then few of its own, then the least loaded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from heapq import heappop, heappush, heapreplace

from cluster.pool import Path, Pool
from cluster.seats import Rank, Seat, Seats

# Few of its own, then the rank; the image is there, before the id: between machines with as much on them.
Cost = tuple[int, float, int, bool, str]
Price = tuple[tuple[int, ...], Cost]


class Search:
    """Goes on from task to task of one service. `fits` tells of a machine whether another task may go there now.

    Machines that have a task of the service, or its image, have a cost of their own and are in its own heaps. All
    others cost as their rank says, and are taken from the pool: those that do not fit are put aside until `end`.
    """

    def __init__(self, pool: Pool, seats: Seats, key: str, image: str, fits: Callable[[Seat], bool]) -> None:
        self._pool, self._seats, self._fits = pool, seats, fits
        self._own = seats.where[key]
        self._there = seats.images.get(image, set())
        self._heaps: dict[Path, list[Cost]] = {path: [] for path in pool.leaves}
        self._special: set[str] = set()
        self._aside: set[str] = set()
        self._counts: Counter[Path] = Counter()
        self._tops: dict[Path, tuple[Price, Seat] | None] = {}
        for id, number in self._own.items():
            self._spread(pool.path(seats.by_id[id]), number)
        for id in self._there.union(self._own):
            self._enter(seats.by_id[id])

    def changed(self, seat: Seat, times: int) -> None:
        """Note that a task of the service came to a machine, or with -1 left it."""
        path = self._pool.path(seat)
        self._spread(path, times)
        self._enter(seat)
        for other in list(self._tops):
            if other[:1] == path[:1]:
                del self._tops[other]

    def best(self) -> Seat | None:
        """The best machine, which stays where it is; None where none fits."""
        for path in self._pool.leaves:
            if path not in self._tops:
                self._tops[path] = self._top(path)
        return min(filter(None, self._tops.values()), default=(None, None))[1]

    def price(self, seat: Seat) -> Price:
        """What the best machine has the least of: the tasks that share its values, and its own cost."""
        counts, path = self._counts, self._pool.path(seat)
        return tuple([counts[path[:depth]] for depth in range(1, len(path) + 1)]), self._cost(seat)

    def end(self) -> None:
        """Give back to the pool what was taken from it."""
        for id in self._aside:
            self._pool.enter(self._seats.by_id[id])

    def _spread(self, path: Path, times: int) -> None:
        for depth in range(1, len(path) + 1):
            self._counts[path[:depth]] += times

    def _enter(self, seat: Seat) -> None:
        path = self._pool.paths.get(seat.node.id)
        if path is not None:
            self._special.add(seat.node.id)
            heappush(self._heaps[path], self._cost(seat))

    def _cost(self, seat: Seat) -> Cost:
        load, tasks, id = self._pool.rank(seat)
        return self._own[id] if self._pool.apart else 0, load, tasks, id not in self._there, id

    def _top(self, path: Path) -> tuple[Price, Seat] | None:
        found = (*self._own_top(self._heaps[path]), *self._other_top(self._pool.leaves[path]))
        return min(((self.price(seat), seat) for seat in found), default=None)

    def _own_top(self, heap: list[Cost]) -> Iterator[Seat]:
        while heap:
            seat = self._seats.by_id[heap[0][-1]]
            now = self._cost(seat)
            if heap[0] < now:
                heapreplace(heap, now)
            elif heap[0] == now and self._fits(seat):
                yield seat
                return
            else:  # a better cost than it has was entered when it was so, or it has no room
                heappop(heap)

    def _other_top(self, leaf: list[Rank]) -> Iterator[Seat]:
        while leaf:
            seat = self._seats.by_id[leaf[0][2]]
            if not self._pool.settle(leaf, seat):
                continue
            if seat.node.id not in self._special and self._fits(seat):
                yield seat
                return
            heappop(leaf)
            self._aside.add(seat.node.id)
