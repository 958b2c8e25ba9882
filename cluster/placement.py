"""Which machine a task goes to, or why none: filters that can say whom they turned away, then an order of preference.

Pure and repeatable: the same machines and tasks give the same answer, whatever was placed before. A `Board` keeps count
of what is where, and follows the state from one revision to the next, so that a batch costs about what it changes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field

from cluster.ask import Ask, Terms, ask_of
from cluster.company import by_stack
from cluster.model import Node, Service, State, Task, revision_key
from cluster.moves import WANTED
from cluster.objections import (
    Bound,
    Objection,
    beside_its_own,
    cards_for,
    counted,
    crowding,
    inflected,
    outside,
    standing,
)
from cluster.pool import Pool
from cluster.search import Search
from cluster.seats import Held, Seat, Seats
from cluster.spec import ServiceSpec
from cluster.tasks import by_service
from cluster.ties import Ties

AS_IT_IS: AbstractContextManager[None] = nullcontext()


@dataclass(slots=True)
class _Turn:
    """The service that machines are looked for now, what it asks, and why there was none, where nothing changed since.

    Tasks of one service mostly come together: what is worked out for the first does for the others of the same bounds.
    """

    service: Service
    key: str
    ask: Ask
    search: Search
    ties: Ties
    reasons: dict[tuple[Bound, ...], str] = field(default_factory=dict)


class Board:
    """The machines of a state, and what runs on each."""

    def __init__(self, state: State | None = None) -> None:
        self._state = State()
        self._seats = Seats(())
        self._known: defaultdict[str, dict[str, Held]] = defaultdict(dict)
        self._seen: dict[str, tuple[Task, ...]] = {}
        self._asks: dict[str, Ask] = {}
        self._stacks: Mapping[str, list[Service]] = {}
        self._pools: dict[Terms, Pool] = {}
        self._turn: _Turn | None = None
        if state is not None:
            self.follow(state)

    # -- what is where -------------------------------------------------------------------------------------------

    def follow(self, state: State) -> None:
        """Take in what differs in a state from the one before, and from what was taken since."""
        self._turn = None
        before, self._state = self._state, state
        if state.services is not before.services:
            self._stacks = by_stack(state)
        if state.nodes is not before.nodes:
            self._follow_nodes()
        self._follow_tasks()
        if state.revisions is not before.revisions:
            self._asks = {key: ask for key, ask in self._asks.items() if key in state.revisions}
            self._seats.forget(state.services, {ask.image for ask in self._asks.values()})

    def _follow_nodes(self) -> None:
        nodes, seats = self._state.nodes, self._seats.by_id
        if nodes.keys() != seats.keys():  # tasks of a machine that is new may be known already
            self._seats, self._known, self._seen = Seats(nodes.values()), defaultdict(dict), {}
            self._pools = {}
            return
        if any(offer(seat.node) != offer(nodes[id]) for id, seat in seats.items() if seat.node is not nodes[id]):
            self._pools = {}
        self._seats.renew(nodes)

    def _follow_tasks(self) -> None:
        """A service whose tasks are as they were has the same tuple: it is passed over without a look at each."""
        now, seen = by_service(self._state.tasks), self._seen
        for key in [key for key, tasks in now.items() if seen.get(key) is not tasks]:
            self._follow_service(key, now[key])
        for key in [key for key in self._known if key not in now]:
            self._follow_service(key, ())
            del self._known[key]
        self._seen = dict(now)

    def _follow_service(self, key: str, tasks: Sequence[Task]) -> None:
        known, now = self._known[key], {task.id: task for task in tasks}
        for id in [id for id in known if id not in now]:
            self._leave(key, id)
        for task in [task for id, task in now.items() if id not in known or known[id].task is not task]:
            self._leave(key, task.id)
            self._enter(key, task, self._state.spec_of(task))

    def take(self, task: Task, spec: ServiceSpec) -> None:
        """Count a task that has a machine."""
        key = task.service_key
        self._leave(key, task.id)
        self._enter(key, task, spec)
        self._seen.pop(key, None)

    def _leave(self, key: str, id: str) -> None:
        held = self._known[key].pop(id, None)
        if held is not None:
            self._count(held, -1)

    def _enter(self, key: str, task: Task, spec: ServiceSpec) -> None:
        revision = revision_key(key, task.revision)
        if revision not in self._asks:
            self._asks[revision] = ask_of(task.stack, spec)
        held = Held(task, self._asks[revision], key)
        self._known[key][task.id] = held
        self._count(held, 1)

    def _count(self, held: Held, times: int) -> None:
        """Count a task, or with -1 take it off again."""
        seat = self._seats.count(held, times)
        if seat is None:
            return
        turn = self._turn
        if turn is not None and turn.key == held.key:
            turn.reasons.clear()
            turn.search.changed(seat, times)
        else:
            self._turn = None

    # -- where to ------------------------------------------------------------------------------------------------

    def place(self, service: Service, slot: int, only: str = "") -> tuple[Node | None, str]:
        """The best machine for a task in this slot, or None and what is waited for, in words.

        `only` is the id of the one machine that the task belongs to, if it does.
        """
        if not self._seats.by_id:
            return None, "waits for a machine: none is there yet"
        turn = self._turn_of(service)
        gone, beside = self._predecessors(turn, slot)
        if only:
            return self._at_home(turn, gone, beside, only)
        bounds = tuple(turn.ties.bounds(slot))
        alike = not gone and not beside
        if alike and bounds in turn.reasons:
            return None, turn.reasons[bounds]
        with self._without(gone):
            seat = self._best_within(turn, bounds) if bounds else turn.search.best()
            if seat is not None:
                return seat.node, ""
            reason = f"waits for a machine ({counted(self._turned_away(turn, bounds, beside))})"
        if alike:
            turn.reasons[bounds] = reason
        return None, reason

    def _at_home(self, turn: _Turn, gone: Sequence[Held], beside: Sequence[Held], only: str) -> tuple[Node | None, str]:
        seat = self._seats.by_id.get(only)
        if seat is None:
            return None, "waits for its machine, which is gone"
        with self._without(gone):
            against = next(self._objections(turn, seat, turn.ties.bounds(0), beside), None)
        if against is not None:
            return None, f"waits for {seat.node.name}, which {inflected(against.why, 1)}"
        return seat.node, ""

    def cards(self, service: Service, slot: int, node: str) -> tuple[str, ...]:
        """The GPUs that a task in this slot gets on a machine where it was found a place."""
        turn = self._turn_of(service)
        if turn.ask.gpus is None:
            return ()
        gone, _ = self._predecessors(turn, slot)
        with self._without(gone):
            return cards_for(self._seats.by_id[node], self._seats, turn.ask.gpus).cards

    def explain(self, service: Service, slot: int) -> dict[str, list[Objection]]:
        """All that speaks against each machine, by its id; nothing against one that a task in this slot could go to."""
        turn = self._turn_of(service)
        gone, beside = self._predecessors(turn, slot)
        bounds = turn.ties.bounds(slot)
        with self._without(gone):
            return {id: list(self._objections(turn, seat, bounds, beside)) for id, seat in self._seats.by_id.items()}

    def _turn_of(self, service: Service) -> _Turn:
        if self._turn is None or self._turn.service is not service:
            key, seats = service.key, self._seats
            ask = ask_of(service.stack, service.spec)
            search = Search(
                self._pool_of(ask.terms), seats, key, ask.image, lambda seat: not any(crowding(seat, seats, key, ask))
            )
            ties = Ties(self._state, seats, self._stacks.get(service.stack, ()), service, self._standing)
            self._turn = _Turn(service, key, ask, search, ties)
        return self._turn

    def _standing(self, service: Service) -> Collection[str]:
        return self._pool_of(ask_of(service.stack, service.spec).terms).paths

    def _pool_of(self, terms: Terms) -> Pool:
        if terms not in self._pools:
            self._pools[terms] = Pool(terms, self._seats.by_id.values())
        return self._pools[terms]

    def _predecessors(self, turn: _Turn, slot: int) -> tuple[Sequence[Held], Sequence[Held]]:
        """Whom a task finds gone, for it starts after they have stopped, and beside whom it starts."""
        there = self._seats.slots[turn.key].get(slot)
        if not there:
            return (), ()
        before = tuple([held for held in there if not held.task.ended])
        if turn.service.spec.update.order == "stop-first":
            return before, ()
        return (), tuple([held for held in before if held.task.desired in WANTED])

    def _without(self, leaving: Sequence[Held]) -> AbstractContextManager[None]:
        return self._while_away(leaving) if leaving else AS_IT_IS

    @contextmanager
    def _while_away(self, leaving: Sequence[Held]) -> Iterator[None]:
        for held in leaving:
            self._count(held, -1)
        try:
            yield
        finally:
            for held in leaving:
                self._count(held, 1)

    def _best_within(self, turn: _Turn, bounds: Sequence[Bound]) -> Seat | None:
        """The best of the few machines that a service is tied to."""
        seats = self._seats.by_id
        places = frozenset.intersection(*(bound.nodes for bound in bounds)) & seats.keys()
        fit = [seats[id] for id in places if not any(self._objections(turn, seats[id], bounds, ()))]
        return min(fit, key=turn.search.price, default=None)

    def _objections(
        self, turn: _Turn, seat: Seat, bounds: Sequence[Bound], beside: Sequence[Held]
    ) -> Iterator[Objection]:
        yield from standing(seat.node, turn.ask.terms)
        yield from outside(seat.node, bounds)
        own = [held for held in beside if held.task.node == seat.node.id]
        yield from self._crowded_by(turn, seat, own) if own else crowding(seat, self._seats, turn.key, turn.ask)

    def _crowded_by(self, turn: _Turn, seat: Seat, own: Sequence[Held]) -> Iterator[Objection]:
        """What speaks against a machine for what runs there, told from what does for the slot's own tasks alone."""
        found = list(crowding(seat, self._seats, turn.key, turn.ask))
        with self._while_away(own):
            others = {one.why for one in crowding(seat, self._seats, turn.key, turn.ask)}
        return (one if one.why in others else beside_its_own(one, own[0].task) for one in found)

    def _turned_away(self, turn: _Turn, bounds: Sequence[Bound], beside: Sequence[Held]) -> Counter[str]:
        """How many machines each reason turned away: of those that speak against one, the first."""
        first = (next(self._objections(turn, seat, bounds, beside), None) for seat in self._seats.by_id.values())
        return Counter(objection.why for objection in first if objection is not None)


def offer(node: Node) -> object:
    """What of a machine decides whether tasks may go there, and how many."""
    labels = tuple(sorted(node.labels.items())), tuple(sorted(node.engine_labels.items()))
    place = node.name, node.role, node.address, node.os, node.arch, node.engine_version
    room = node.cpus, node.memory, node.gpus, node.gpu_runtime
    return node.id, node.status, node.message, node.availability, *room, *place, *labels


def awaits_machine(state: State) -> bool:
    """Whether a machine is about to be ready by itself: none was heard of yet, or one is only starting."""
    return not state.nodes or any(node.status in ("starting", "returning") for node in state.nodes.values())
