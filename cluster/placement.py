"""Which machine a task goes to, or why none: filters that can say whom they turned away, then a score.

Pure and repeatable: the same machines and tasks give the same answer. A `Board` is made once for a decision and keeps
count of what it places, so that a thousand tasks cost about what they change.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from cluster.company import companions, home, keeps_company, stays, volumes_of
from cluster.constraints import Constraint, parse, value_of
from cluster.model import Node, Service, State, Task
from cluster.spec import ServiceSpec

# Machines that a task may go to, and what is said of a number of others.
Bound = tuple[frozenset[str], str]
# The verbs that reasons begin with, of several and of one.
OF_ONE = {"are": "is", "have": "has", "lack": "lacks"}


@dataclass(slots=True)
class Seat:
    """One machine, and what it has taken on."""

    node: Node
    tasks: int = 0
    cpus: float = 0.0
    memory: int = 0
    services: Counter[str] = field(default_factory=Counter)
    ports: Counter[tuple[str, int]] = field(default_factory=Counter)

    def count(self, task: Task, spec: ServiceSpec, times: int = 1) -> None:
        """Count a task of this spec; -1 `times` takes it off again."""
        self.tasks += times
        self.cpus += times * (spec.reserved.cpus or 0.0)
        self.memory += times * (spec.reserved.memory or 0)
        self.services[task.service_key] += times
        for binding in task.bindings:
            if binding.host_port:
                self.ports[binding.protocol, binding.host_port] += times

    def without(self, leaving: Iterable[tuple[Task, ServiceSpec]]) -> Seat:
        """The same machine once these tasks have left it."""
        after = replace(self, services=self.services.copy(), ports=self.ports.copy())
        for task, spec in leaving:
            after.count(task, spec, -1)
        return after


class Board:
    """The machines of a state, and what runs on each."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._seats = {node.id: Seat(node) for node in state.nodes.values()}
        self._company_of: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._slots: defaultdict[tuple[str, int], list[tuple[Task, ServiceSpec]]] = defaultdict(list)
        for task in state.tasks.values():
            if task.node and not task.ended:
                self.take(task, state.spec_of(task))

    def take(self, task: Task, spec: ServiceSpec) -> None:
        """Count a task that has a machine."""
        if task.node not in self._seats:
            return
        self._seats[task.node].count(task, spec)
        self._slots[task.service_key, task.slot].append((task, spec))
        if keeps_company(task, self._seats[task.node].node):
            self._company_of[task.service_key][task.node] += 1

    def place(self, service: Service, slot: int) -> tuple[Node | None, str]:
        """The best machine for a task in this slot, or None and what is waited for, in words."""
        if not self._seats:
            return None, "waits for a machine: none is there yet"
        seats = self._seats_for(service, slot)
        bounds = [*self._company(service), *self._data(service, slot), *self._image(service)]
        constraints = constraints_of(service.spec)
        fit, turned = list[Seat](), Counter[str]()
        for seat in seats.values():
            why = next(_objections(service, seat, constraints, bounds), "")
            if why:
                turned[why] += 1
            else:
                fit.append(seat)
        if not fit:
            return None, f"waits for a machine ({_counted(turned)})"
        spread = _spread(service, seats)
        return min(fit, key=lambda seat: _cost(service, seat, spread)).node, ""

    def _seats_for(self, service: Service, slot: int) -> dict[str, Seat]:
        """The machines as the task will find them: where it starts after its predecessor has stopped, without that."""
        before = self._slots.get((service.key, slot), []) if service.spec.update.order == "stop-first" else []
        seats = dict(self._seats)
        for id in {task.node for task, _ in before}:
            seats[id] = seats[id].without(one for one in before if one[0].node == id)
        return seats

    def _company(self, service: Service) -> Iterator[Bound]:
        """Services that share a network stay on one machine, for networks do not reach from one to another yet.

        Where one of them has data, or an image that was built, that is the machine, though nothing runs there now. It
        counts as `company.strays` does: or what came to one machine for its company were sent away from there by that.
        """
        others = companions(self._state, service)
        for other in others:
            yield from self._data(other, 1)
            yield from self._image(other)
        group = [service, *others]
        built = {one.spec.built_on for one in group} & self._seats.keys()
        counts = sum((self._company_of[one.key] for one in group), Counter[str]())
        places = {id: counts[id] for id in counts.keys() | built if stays(self._seats[id].node)}
        network = next(self._shared_networks(service), "")
        if places and network:
            node = self._seats[home(self._state, group, places)].node
            yield frozenset({node.id}), f"are not {node.name}, where what shares network {network} with it runs"

    def _shared_networks(self, service: Service) -> Iterator[str]:
        stack = self._state.stacks.get(service.stack)
        if stack is None:
            return
        others = [s.spec for s in self._state.services_of(service.stack) if s.name != service.name]
        used = {attachment.network for other in others for attachment in other.networks}
        for attachment in service.spec.networks:
            if attachment.network in used and attachment.network in stack.spec.networks:
                yield stack.spec.networks[attachment.network].name

    def _data(self, service: Service, slot: int) -> Iterator[Bound]:
        """A volume lies on the machine that has it: elsewhere its task would begin with an empty one.

        Where several have one of that name, it is the one that the slot's task writes to.
        """
        before = {task.node for task, _ in self._slots.get((service.key, slot), ())}
        for name in volumes_of(self._state, service):
            holders = [seat.node for seat in self._seats.values() if name in seat.node.volumes]
            if holders:
                holders = [node for node in holders if node.id in before] or holders
                names = " or ".join(sorted(node.name for node in holders))
                places = frozenset(node.id for node in holders)
                yield places, f"are not {names}, which holds the data of volume {name}"

    def _image(self, service: Service) -> Iterator[Bound]:
        """An image that was built is on the machine that built it: no other can pull it."""
        built_on = service.spec.built_on
        if built_on:
            name = self._seats[built_on].node.name if built_on in self._seats else "a node that is gone"
            yield frozenset({built_on}), f"lack image {service.spec.image}, which was built on {name}"


def constraints_of(spec: ServiceSpec) -> list[Constraint]:
    """A service's constraints; the loader has made sure that each is one."""
    return [parse(text) for text in spec.placement.constraints]


def awaits_machine(state: State) -> bool:
    """Whether a machine is about to be ready by itself: none was heard of yet, or one is only starting."""
    return not state.nodes or any(node.status in ("starting", "returning") for node in state.nodes.values())


def _objections(
    service: Service, seat: Seat, constraints: Iterable[Constraint], bounds: Iterable[Bound]
) -> Iterator[str]:
    """Why a task may not go there, each as it is said after a number of nodes: "2 lack label gpu=nvidia"."""
    node, most = seat.node, service.spec.placement.max_replicas_per_node
    if node.status != "ready":
        plain = node.message in ("", node.status, f"is {node.status}")
        yield f"are {node.status}" if plain else f"are {node.status}: {node.message}"
    if node.availability != "active":
        yield {"pause": "are paused", "drain": "are draining"}.get(node.availability, f"are in {node.availability}")
    yield from (constraint.fault for constraint in constraints if not constraint.allows(node))
    yield from (why for home, why in bounds if node.id not in home)
    if most and seat.services[service.key] >= most:
        yield f"have {most} of its tasks, the most that one may have"
    yield from _too_small(service.spec, seat)


def _too_small(spec: ServiceSpec, seat: Seat) -> Iterator[str]:
    cpus, memory = spec.reserved.cpus or 0.0, spec.reserved.memory or 0
    if cpus and seat.cpus + cpus > seat.node.cpus:
        yield f"have too few CPUs free (it reserves {cpus:g})"
    if memory and seat.memory + memory > seat.node.memory:
        yield f"have too little memory free (it reserves {memory / 1e6:.0f} MB)"
    for port in spec.ports:
        if port.published and not port.published_last and seat.ports[port.protocol, port.published]:
            yield f"have port {port.published} taken by another task"


def _spread(service: Service, seats: Mapping[str, Seat]) -> dict[str, tuple[int, ...]]:
    """For each machine and label to spread over: the service's tasks on all machines with the same value of it."""
    labels = service.spec.placement.spread
    counts = {label: Counter[str]() for label in labels}
    for seat in seats.values() if labels else ():
        for label in labels:
            counts[label][value_of(seat.node, label) or ""] += seat.services[service.key]
    return {
        id: tuple(counts[label][value_of(seat.node, label) or ""] for label in labels) for id, seat in seats.items()
    }


def _cost(service: Service, seat: Seat, spread: Mapping[str, tuple[int, ...]]) -> tuple[object, ...]:
    """Preferences first, then few of its own, then little reserved for what there is, then few at all, then the id."""
    node = seat.node
    reserved = max(seat.cpus / node.cpus if node.cpus else 0.0, seat.memory / node.memory if node.memory else 0.0)
    return (spread[node.id], seat.services[service.key], round(reserved, 6), seat.tasks, node.id)


def _counted(turned: Counter[str]) -> str:
    """`3 nodes: 2 lack label gpu=nvidia, 1 is draining`."""
    total = sum(turned.values())
    each = ", ".join(f"{number} {_inflected(why, number)}" for why, number in turned.most_common())
    return f"{total} node{'s' if total > 1 else ''}: {each}"


def _inflected(why: str, number: int) -> str:
    """A reason, which begins with its verb, as it is said of so many."""
    verb, _, rest = why.partition(" ")
    return why if number > 1 else f"{OF_ONE[verb]} {rest}"
