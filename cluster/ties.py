"""What ties a service to machines: its data, an image that was built, and services that share a network with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from cluster.company import companions, home, stays
from cluster.model import Service, State
from cluster.objections import Bound, Objection
from cluster.seats import Seats
from cluster.volumes import volumes_of


class Ties:
    """Where the tasks of one service have to be. `services` are all of its stack."""

    def __init__(self, state: State, seats: Seats, services: Iterable[Service], service: Service) -> None:
        self._state, self._seats, self._service = state, seats, service
        self._everywhere = service.spec.mode == "global"
        self._others = companions(services, service)
        self._free = not (self._others or service.spec.built_on or volumes_of(state, service))

    def bounds(self, slot: int) -> list[Bound]:
        """For each thing that ties a task in this slot, the machines that it leaves."""
        if self._free:
            return []
        state, seats, service = self._state, self._seats, self._service
        if self._everywhere:  # it has data of its own on each machine
            return list(_image(seats, service))
        company = _company(state, seats, service, self._others)
        return [*company, *_data(state, seats, service, slot), *_image(seats, service)]


def _company(state: State, seats: Seats, service: Service, others: Sequence[Service]) -> Iterator[Bound]:
    """Services that share a network stay on one machine, for networks do not reach from one to another yet.

    Where one of them has data, or an image that was built, that is the machine, though nothing runs there now. It
    counts as `company.strays` does: or what came to one machine for its company were sent away from there by that.
    """
    for other in others:
        yield from _data(state, seats, other, 1)
        yield from _image(seats, other)
    group = [service, *others]
    built = {one.spec.built_on for one in group} & seats.by_id.keys()
    counts = sum((seats.company[one.key] for one in group), Counter[str]())
    places = {id: counts[id] for id in counts.keys() | built if stays(seats.by_id[id].node)}
    network = next(_shared_networks(state, service, others), "")
    if places and network:
        node = seats.by_id[home(state, group, places)].node
        why = f"are not {node.name}, where what shares network {network} with it runs"
        remedy = "give it a network of its own: none reaches two machines yet"
        yield Bound(frozenset({node.id}), Objection(why, remedy))


def _shared_networks(state: State, service: Service, others: Sequence[Service]) -> Iterator[str]:
    stack = state.stacks.get(service.stack)
    if stack is None:
        return
    used = {attachment.network for other in others for attachment in other.spec.networks}
    for attachment in service.spec.networks:
        if attachment.network in used and attachment.network in stack.spec.networks:
            yield stack.spec.networks[attachment.network].name


def _data(state: State, seats: Seats, service: Service, slot: int) -> Iterator[Bound]:
    """A volume lies on the machine that has it: elsewhere its task would begin with an empty one.

    Where several have one of that name, it is the one that the slot's task writes to.
    """
    before = {held.task.node for held in seats.slots.get((service.key, slot), {}).values()}
    for name in volumes_of(state, service):
        holders = {id for id, seat in seats.by_id.items() if name in seat.node.volumes}
        if holders:
            holders = (holders & before) or holders
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


def _names(seats: Seats, nodes: set[str]) -> str:
    return " or ".join(sorted(seats.by_id[id].node.name for id in nodes))
