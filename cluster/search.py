"""The search for machines for one service's tasks: the spread first, then few of its own, then the least loaded."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from heapq import heapify, heappop, heappush, heapreplace

from cluster.pool import Path, Pool
from cluster.seats import Seat, Seats

# Few of its own, then the rank; the image is there, before the id: between machines with as much on them.
Cost = tuple[int, float, int, bool, str]
Price = tuple[tuple[int, ...], Cost]


class Search:
    """Goes on from task to task of one service. `fits` tells of a machine whether another task may go there now.

    Machines that have a task of the service, or had one since the search began, have a cost of their own, and are in
    heaps. These are made when one of them may be the best: where few of its own are best, any other is as long as one
    has room and none lost a task. All others cost as their rank says, which stays while one service is searched for:
    they are dealt out to the leaves in that order, as far as is asked for, and those that do not fit are dropped. So a
    search begins at the cost of the service's own machines, and a task costs about the logarithm of how many there are.
    """

    def __init__(self, pool: Pool, seats: Seats, key: str, image: str, fits: Callable[[Seat], bool]) -> None:
        self._pool, self._seats, self._fits = pool, seats, fits
        self._own = seats.where[key]
        self._there = seats.images.get(image, set())
        self._special = {id for id, number in self._own.items() if number}
        self._heaps: dict[Path, list[Cost]] | None = None
        self._others: dict[Path, deque[Seat]] = {path: deque() for path in pool.leaves}
        self._undealt = seats.in_order(packs=pool.packs, before=self._there)
        self._counts: Counter[Path] = Counter()
        self._tops: dict[Path, tuple[Price, Seat]] = {}
        self._unknown = set(pool.leaves)
        if not pool.apart:
            self._heap_up()
        for id in self._special:
            self._counts[pool.path(seats.by_id[id])] += self._own[id]
        for path, number in list(self._counts.items()):
            self._spread(path[:-1], number)

    def changed(self, seat: Seat, times: int) -> None:
        """Note that a task of the service came to a machine, or with -1 left it."""
        path, leaves = self._pool.path(seat), self._pool.leaves
        self._spread(path, times)
        self._special.add(seat.node.id)
        if self._heaps is not None:
            if seat.node.id in self._pool.paths:
                heappush(self._heaps[path], self._cost(seat))
        elif times < 0:
            self._heap_up()
        if len(path) > 1:  # the others of the same first value have one more beside them, too
            self._unknown.update(other for other in leaves if other[0] == path[0])
        elif path in leaves:
            self._unknown.add(path)

    def best(self) -> Seat | None:
        """The best machine, which stays where it is; None where none fits."""
        for path in self._unknown:
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

    def _spread(self, path: Path, times: int) -> None:
        for depth in range(1, len(path) + 1):
            self._counts[path[:depth]] += times

    def _heap_up(self) -> dict[Path, list[Cost]]:
        """Begin to keep the machines that have a cost of their own in the order of that."""
        paths, seats = self._pool.paths, self._seats.by_id
        heaps: dict[Path, list[Cost]] = {path: [] for path in self._pool.leaves}
        for id in self._special & paths.keys():
            heaps[paths[id]].append(self._cost(seats[id]))
        for heap in heaps.values():
            heapify(heap)
        self._heaps = heaps
        return heaps

    def _cost(self, seat: Seat) -> Cost:
        load, tasks, id = self._pool.rank(seat)
        return self._own.get(id, 0) if self._pool.apart else 0, load, tasks, id not in self._there, id

    def _top(self, path: Path) -> Seat | None:
        """The best machine of a leaf."""
        others, own = self._others[path], self._heaps[path] if self._heaps is not None else []
        while True:
            other = others[0] if others else self._deal(path)
            if other is None and self._heaps is None:
                own = self._heap_up()[path]
            if other is not None and other.node.id in self._special:
                others.popleft()
            elif other is not None and (not own or self._cost(other) < own[0]):
                if self._fits(other):
                    return other
                others.popleft()
            elif not own:
                return None
            else:
                seat = self._seats.by_id[own[0][-1]]
                now = self._cost(seat)
                if own[0] < now:
                    heapreplace(own, now)
                elif own[0] == now and self._fits(seat):
                    return seat
                else:  # a better cost than it has was entered when it was so, or it has no room
                    heappop(own)

    def _deal(self, path: Path) -> Seat | None:
        """Deal out machines until one is that leaf's; None where none is left."""
        paths, others = self._pool.paths, self._others
        for seat in self._undealt:
            home = paths.get(seat.node.id)
            if home is not None:
                others[home].append(seat)
                if home == path:
                    return seat
        return None
