"""What ties a service to machines: its data, an image that was built, and services that share a network or a volume."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, reduce
from itertools import chain

from cluster.company import bonds, companions, home, stays
from cluster.model import Service, State
from cluster.objections import Bound, Objection
from cluster.seats import Seats
from cluster.spec import NetworkSpec, VolumeSpec
from cluster.volumes import volumes_of


class Ties:
    """Where the tasks of one service have to be. `services` are all of its stack.

    `standing` are for each service the machines that it may run on, whatever runs there.
    """

    def __init__(
        self,
        state: State,
        seats: Seats,
        services: Iterable[Service],
        service: Service,
        standing: Callable[[Service], Collection[str]],
    ) -> None:
        self._state, self._seats, self._service, self._standing = state, seats, service, standing
        self._everywhere = service.spec.mode == "global"
        self._others = companions(services, service)
        self._volumes = volumes_of(state, service)
        self._free = not (self._others or service.spec.built_on or self._volumes)

    def bounds(self, slot: int) -> list[Bound]:
        """For each thing that ties a task in this slot, the machines that it leaves."""
        if self._free:
            return []
        seats, service = self._seats, self._service
        if self._everywhere:  # it has data of its own on each machine
            return list(_image(seats, service))
        data = list(_data(seats, service, slot, self._volumes))
        return [*self._company(data), *data, *_image(seats, service)]

    def _company(self, data: Sequence[Bound]) -> Iterator[Bound]:
        """Services that share a network or a volume stay on one machine: neither reaches from one to another yet.

        Where one of them has data, or an image that was built, that is the machine, though nothing runs there now. It
        counts as `company.strays` does: or what came to one machine for its company were sent away from there by that.
        Nobody leaves data of its own for company, which is what `data` says.
        """
        state, seats, service, others = self._state, self._seats, self._service, self._others
        for other in others:
            theirs = (name for name in volumes_of(state, other) if name not in self._volumes)
            yield from _data(seats, other, 1, theirs)
            yield from _image(seats, other)
        group = [service, *others]
        built = {one.spec.built_on for one in group} & seats.by_id.keys()
        counts = sum((seats.company(one.key) for one in group), Counter[str]())
        there = {id for id in counts.keys() | built if all(id in bound.nodes for bound in data)}
        places = {id: counts[id] for id in there if stays(seats.by_id[id].node)}
        kind, name = next(self._shared(), ("", ""))
        if not name:
            return
        if places:
            nodes, verb = frozenset({home(state, group, places)}), "runs"
        else:
            nodes, verb = self._for_all, "may run"
        if nodes:
            why = f"are not {_names(seats, nodes)}, where what shares {kind} {name} with it {verb}"
            yield Bound(nodes, Objection(why, f"give it a {kind} of its own: none reaches two machines yet"))

    @cached_property
    def _for_all(self) -> frozenset[str]:
        """The machines that each of the group may run on, where these are fewer than its own; else none.

        The first of them to be placed goes where the others can follow. Where there is no such machine, each that can
        run does.
        """
        own = frozenset(self._standing(self._service))
        shared = reduce(frozenset.intersection, map(self._standing, self._others), own)
        return shared if len(shared) < len(own) else frozenset()

    def _shared(self) -> Iterator[tuple[str, str]]:
        """The networks and volumes that others have, too, each with the engine's name."""
        stack = self._state.stacks.get(self._service.stack)
        if stack is None:
            return
        names: Mapping[str, Mapping[str, NetworkSpec | VolumeSpec]]
        names = {"network": stack.spec.networks, "volume": stack.spec.volumes}
        theirs = chain.from_iterable(bonds(other.spec) for other in self._others)
        for kind, key in sorted(bonds(self._service.spec).intersection(theirs)):
            if key in names[kind]:
                yield kind, names[kind][key].name


def _data(seats: Seats, service: Service, slot: int, volumes: Iterable[str]) -> Iterator[Bound]:
    """A volume lies on the machine that has it: elsewhere its task would begin with an empty one.

    Where several have one of that name, it is the one that the slot's last task there wrote to, ended or not.
    """
    tasks = (held.task for held in seats.slots[service.key].get(slot, ()))
    before = [task.node for task in sorted(tasks, key=lambda task: (task.created_at, task.id), reverse=True)]
    for name in volumes:
        holders = {id for id, seat in seats.by_id.items() if name in seat.node.volumes}
        if holders:
            last = next((id for id in before if id in holders), "")
            holders = {last} if last else holders
            why = f"are not {_names(seats, holders)}, which holds the data of volume {name}"
            yield Bound(frozenset(holders), Objection(why, f"its data stays where it is: bring {name} there by hand"))


def _image(seats: Seats, service: Service) -> Iterator[Bound]:
    """An image that was built is on the machine that built it: no other can pull it."""
    built_on = service.spec.built_on
    if built_on:
        name = seats.by_id[built_on].node.name if built_on in seats.by_id else "a node that is gone"
        why = f"lack image {service.spec.image}, which was built on {name}"
        remedy = "push it to a registry, and deploy with --no-build"
        yield Bound(frozenset({built_on}), Objection(why, remedy))


def _names(seats: Seats, nodes: Collection[str]) -> str:
    return " or ".join(sorted(seats.by_id[id].node.name for id in nodes))
