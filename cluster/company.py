"""Services that share a network or a volume belong on one machine, for neither reaches from one to another yet."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from cluster.model import Node, Service, State, Task
from cluster.moves import WANTED
from cluster.spec import ServiceSpec
from cluster.volumes import named_volumes, volumes_of

Bond = tuple[Literal["network", "volume"], str]


def bonds(spec: ServiceSpec) -> set[Bond]:
    """What ties a service to all of its stack that have it, too: networks and volumes, by the file's keys."""
    networks: set[Bond] = {("network", attachment.network) for attachment in spec.networks}
    return networks.union(("volume", name) for name in named_volumes(spec))


def by_stack(state: State) -> Mapping[str, list[Service]]:
    """The services of each stack that has any, by name."""
    stacks: defaultdict[str, list[Service]] = defaultdict(list)
    for key in sorted(state.services):
        stacks[state.services[key].stack].append(state.services[key])
    return stacks


def groups(services: Iterable[Service]) -> list[list[Service]]:
    """Services of one stack by who is tied to whom, directly or by others in between."""
    found: list[tuple[set[Bond], list[Service]]] = []
    for service in services:
        own = bonds(service.spec)
        tied = [group for group in found if group[0] & own]
        found = [group for group in found if not group[0] & own]
        found.append((own.union(*(ties for ties, _ in tied)), [one for _, group in tied for one in group] + [service]))
    return [group for _, group in found]


def companions(services: Iterable[Service], service: Service) -> list[Service]:
    """The other services of the group that a service is of, among all `services` of its stack."""
    if service.spec.mode == "global" or not bonds(service.spec):
        return []
    others = [one for one in services if one.name != service.name and has_company(one)]
    group = next(group for group in groups([*others, service]) if group[-1] is service)
    return group[:-1]


def has_company(service: Service) -> bool:
    """Whether a service is to be with others: one that is everywhere is with all of them as it is."""
    return not service.removing and service.spec.mode != "global"


def is_company(task: Task) -> bool:
    """Whether a task is one that its companions are to be with, while its machine `stays`."""
    return task.desired in WANTED and not task.ended and not task.forsaken


def home(state: State, group: Iterable[Service], places: Mapping[str, int]) -> str:
    """Of machines with so many tasks of a group each the one to be together on.

    That is the one that has their data, or else an image of theirs that was built there, or else most of them.
    """
    built = {one.spec.built_on for one in group}
    volumes = {name for one in group for name in volumes_of(state, one)}

    def order(id: str) -> tuple[bool, bool, int, str]:
        return volumes.isdisjoint(state.nodes[id].volumes), id not in built, -places[id], id

    return min(places, key=order)


def stays(node: Node) -> bool:
    """Whether what runs there is to be kept company."""
    return node.status != "down" and not node.replaced and node.availability in ("active", "pause")


def strays(state: State) -> Mapping[str, frozenset[str]]:
    """By service the machines that its tasks are to leave, for its companions are elsewhere; none that has its data.

    They are parted where only some of them had moved: people changed their mind about emptying a machine, or one that
    was down came back before all of its tasks were replaced.
    """
    return {key: left for services in by_stack(state).values() for key, left in strays_of(state, services).items()}


def strays_of(state: State, services: Iterable[Service]) -> Mapping[str, frozenset[str]]:
    """The same of one stack, whose `services` these are."""
    company = [service for service in services if has_company(service)]
    if len(company) < 2:
        return {}
    places = {one.key: Counter(_kept_company(state, one)) for one in company}
    if len({node for there in places.values() for node in there}) < 2:
        return {}
    away: dict[str, frozenset[str]] = {}
    for group in groups(company):
        away.update(_away(state, group, {one.key: places[one.key] for one in group}))
    return {key: left for key, left in away.items() if left}


def _kept_company(state: State, service: Service) -> Iterator[str]:
    """The machine of each of its tasks that others are to be with."""
    for task in state.tasks_of(service.key):
        node = state.nodes.get(task.node)
        if node is not None and stays(node) and is_company(task):
            yield task.node


def _away(state: State, group: list[Service], places: Mapping[str, Counter[str]]) -> Mapping[str, frozenset[str]]:
    together = sum(places.values(), Counter[str]())
    if len(group) == 1 or len(together) < 2:
        return {}
    node = state.nodes[home(state, group, together)]
    if node.status != "ready" or node.availability != "active":
        return {}
    return {
        one.key: frozenset(id for id in places[one.key] if id != node.id and not _has_data(state, one, id))
        for one in group
    }


def _has_data(state: State, service: Service, id: str) -> bool:
    return not set(state.nodes[id].volumes).isdisjoint(volumes_of(state, service))
