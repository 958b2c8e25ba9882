"""The search for machines for one service's tasks: the spread first, then few of its own, then the least loaded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from heapq import heapify, heappop, heappush, heapreplace

from cluster.pool import Path, Pool
from cluster.seats import Seat, Seats

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
        self._special = (self._there | self._own.keys()) & pool.paths.keys()
        self._aside: set[str] = set()
        self._counts: Counter[Path] = Counter()
        self._tops: dict[Path, tuple[Price, Seat]] = {}
        self._unknown = set(pool.leaves)
        for id, number in self._own.items():
            self._counts[pool.path(seats.by_id[id])] += number
        for path, number in list(self._counts.items()):
            self._spread(path[:-1], number)
        for id in self._special:
            self._heaps[pool.paths[id]].append(self._cost(seats.by_id[id]))
        for heap in self._heaps.values():
            heapify(heap)

    def changed(self, seat: Seat, times: int) -> None:
        """Note that a task of the service came to a machine, or with -1 left it."""
        path = self._pool.path(seat)
        self._spread(path, times)
        self._enter(seat)
        if len(path) < 2:
            self._unknown.add(path)
        else:  # the others of the same first value have one more beside them, too
            self._unknown.update(other for other in self._pool.leaves if other[0] == path[0])

    def best(self) -> Seat | None:
        """The best machine, which stays where it is; None where none fits."""
        for path in self._unknown & self._pool.leaves.keys():
            seat = self._top(path)
            if seat is not None:
                self._tops[path] = self.price(seat), seat
            else:
                self._tops.pop(path, None)
        self._unknown.clear()
        return min(self._tops.values())[1] if self._tops else None

    def price(self, seat: Seat) -> Price:
        """What the best machine has the least of: the tasks that share its values, and its own cost."""
        counts, path = self._counts, self._pool.path(seat)
        levels = (counts[path],) if len(path) == 1 else tuple([counts[path[:n]] for n in range(1, len(path) + 1)])
        return levels, self._cost(seat)

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

    def _top(self, path: Path) -> Seat | None:
        """The best machine of a leaf."""
        own, leaf, seats = self._heaps[path], self._pool.leaves[path], self._seats.by_id
        while own or leaf:
            if not own or (leaf and (0, *leaf[0][:2], True, leaf[0][2]) < own[0]):
                seat = seats[leaf[0][2]]
                if not self._pool.settle(leaf, seat):
                    continue
                if seat.node.id not in self._special and self._fits(seat):
                    return seat
                heappop(leaf)
                self._aside.add(seat.node.id)
            else:
                seat = seats[own[0][-1]]
                now = self._cost(seat)
                if own[0] < now:
                    heapreplace(own, now)
                elif own[0] == now and self._fits(seat):
                    return seat
                else:  # a better cost than it has was entered when it was so, or it has no room
                    heappop(own)
        return None
