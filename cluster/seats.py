"""Who is where: each machine with what its tasks hold of it, kept as tasks come and go."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from cluster.ask import NANO, Ask
from cluster.company import is_company
from cluster.gpus import are_counted
from cluster.model import Node, Task

Rank = tuple[float, int, str]


@dataclass(slots=True)
class Seat:
    """One machine, and what it has taken on. CPUs are counted in billionths, so that adding them up is exact.

    `rank` is its place among machines that are as good otherwise, the least first: little reserved of CPUs or memory,
    whichever is more, as a share; few tasks; the id. `cards` are the GPUs that its tasks have, `unnamed` counts the
    tasks of whose GPUs no name is known.
    """

    node: Node
    tasks: int = 0
    nano_cpus: int = 0
    memory: int = 0
    cards: Counter[str] = field(default_factory=Counter)
    unnamed: int = 0
    ports: Counter[tuple[str, int]] = field(default_factory=Counter)
    rank: Rank = field(init=False)

    def __post_init__(self) -> None:
        self.weigh()

    def count(self, task: Task, ask: Ask, times: int) -> None:
        """Count a task; -1 `times` takes it off again."""
        self.tasks += times
        self.nano_cpus += times * ask.nano_cpus
        self.memory += times * ask.memory
        for card in task.gpus:
            self.cards[card] += times
        if ask.gpus is not None and not task.gpus:
            self.unnamed += times
        for binding in task.bindings:
            if binding.host_port:
                self.ports[binding.protocol, binding.host_port] += times
        self.weigh()

    @property
    def held(self) -> list[str]:
        """The GPUs that its tasks have."""
        return [card for card, number in self.cards.items() if number]

    def weigh(self) -> None:
        """Work out its rank anew."""
        node = self.node
        cpus = self.nano_cpus / (node.cpus * NANO) if node.cpus else 0.0
        memory = self.memory / node.memory if node.memory else 0.0
        self.rank = (cpus if cpus > memory else memory, self.tasks, node.id)

    def packed(self) -> Rank:
        """Its rank where a machine that has much is better than one with little."""
        load, tasks, id = self.rank
        return -load, -tasks, id


class Held(NamedTuple):
    """A task that has a machine, with what it asks of that, and its service's key."""

    task: Task
    ask: Ask
    key: str


class Seats:
    """All machines, and indices of what is on them.

    `where` is how many tasks of a service each machine has, `parting` how many of those its companions are not to be
    with, `slots` by service and slot who has or had a machine, `shunned` who does not want to be where a service is.
    `images` are the machines on which a container of an image was seen: it is there unless it was removed since.
    `counted` is whether any machine tells how many GPUs it has.
    """

    def __init__(self, nodes: Iterable[Node]) -> None:
        self.by_id = {node.id: Seat(node) for node in nodes}
        self._look()
        self.where: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.parting: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.slots: defaultdict[str, dict[int, tuple[Held, ...]]] = defaultdict(dict)
        self.shunned: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.images: defaultdict[str, set[str]] = defaultdict(set)

    def count(self, held: Held, times: int) -> Seat | None:
        """Count a task, or with -1 take it off again; the machine, where there is such a one."""
        task, ask, key = held
        seat = self.by_id.get(task.node)
        if seat is None:
            return None
        if task.container_id:
            self.images[ask.image].add(task.node)
        self._enter(held, times)
        if task.ended:
            return None
        before = seat.rank
        seat.count(task, ask, times)
        del self._ranks[bisect_left(self._ranks, before)]
        insort(self._ranks, seat.rank)
        self.where[key][task.node] += times
        for other in ask.shuns:
            self.shunned[other][key] += times
        if not is_company(task):
            self.parting[key][task.node] += times
        return seat

    def _enter(self, held: Held, times: int) -> None:
        slots, slot = self.slots[held.key], held.task.slot
        there = slots.get(slot, ())
        if times > 0:
            slots[slot] = (*there, held)
        elif len(there) > 1:
            slots[slot] = tuple([one for one in there if one is not held])
        else:
            del slots[slot]

    def company(self, key: str) -> Counter[str]:
        """How many tasks of a service that its companions are to be with each machine has."""
        return self.where[key] - self.parting[key]

    def renew(self, nodes: Mapping[str, Node]) -> None:
        """Take what is known of the same machines now."""
        for id, seat in self.by_id.items():
            seat.node = nodes[id]
            seat.weigh()
        self._look()

    def _look(self) -> None:
        self.counted = are_counted(seat.node for seat in self.by_id.values())
        self._ranks = sorted(seat.rank for seat in self.by_id.values())

    def in_order(self, *, packs: bool, before: Collection[str]) -> Iterator[Seat]:
        """All machines as they are ranked, the best first; where one `packs`, that is who has most.

        Of machines that have as much as each other those are first that are to be `before` others. A machine whose rank
        changes meanwhile may come twice or not at all.
        """
        seats = self.by_id
        ranks: Iterator[Rank] = reversed(self._ranks.copy()) if packs else self._ascending()
        if not packs and not before:
            return (seats[rank[2]] for rank in ranks)
        even = (alike for _, alike in groupby(ranks, itemgetter(0, 1)))
        return (seats[id] for alike in even for _, id in sorted((id not in before, id) for _, _, id in alike))

    def _ascending(self) -> Iterator[Rank]:
        """The ranks in their order, which others change meanwhile: a copy would cost as much as all machines."""
        ranks, at = self._ranks, 0
        while at < len(ranks):
            rank = ranks[at]
            yield rank
            at = at + 1 if at < len(ranks) and ranks[at] is rank else bisect_right(ranks, rank)

    def forget(self, services: Container[str], images: Container[str]) -> None:
        """Keep nothing of services that have no task and are not among these, nor of other images."""
        for index in (self.where, self.parting, self.shunned):
            for key in [key for key, counts in index.items() if key not in services and not any(counts.values())]:
                del index[key]
        for key in [key for key, slots in self.slots.items() if key not in services and not slots]:
            del self.slots[key]
        for image in [image for image in self.images if image not in images]:
            del self.images[image]
