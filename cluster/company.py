"""Services that share a network belong on one machine, for networks do not reach from one to another yet."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from cluster.model import Node, Service, State
from cluster.moves import WANTED


def companions(state: State, service: Service) -> list[Service]:
    """The services that are tied to this one by networks, directly or by others in between."""
    others = {one.name: one for one in state.services_of(service.stack) if not one.removing}
    others.pop(service.name, None)
    found, edge = list[Service](), [service]
    while edge:
        networks = {attachment.network for attachment in edge.pop().spec.networks}
        near = [one for one in others.values() if networks & {each.network for each in one.spec.networks}]
        found += near
        edge += near
        for one in near:
            del others[one.name]
    return found


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


def volumes_of(state: State, service: Service) -> list[str]:
    """The engine's names of the volumes that a service's tasks keep data in."""
    stack = state.stacks.get(service.stack)
    known = stack.spec.volumes if stack is not None else {}
    sources = {mount.source for mount in service.spec.mounts if mount.type == "volume"}
    return [known[source].name for source in sorted(sources & known.keys())]


def strays(state: State) -> Mapping[str, frozenset[str]]:
    """By service the machines that its tasks are to leave, for its companions are elsewhere.

    They are parted where only some of them had moved: people changed their mind about emptying a machine, or one that
    was down came back before all of its tasks were replaced.
    """
    places: defaultdict[str, Counter[str]] = defaultdict(Counter)
    stacks: defaultdict[str, set[str]] = defaultdict(set)
    for task in state.tasks.values():
        node = state.nodes.get(task.node)
        if node is not None and stays(node) and task.desired in WANTED and not task.ended and not task.forsaken:
            places[task.service_key][task.node] += 1
            stacks[task.stack].add(task.node)
    parted = [one for one in state.services.values() if len(stacks[one.stack]) > 1 and not one.removing]
    return {one.key: away for one in parted if (away := _away(state, one, places))}


def _away(state: State, service: Service, places: Mapping[str, Counter[str]]) -> frozenset[str]:
    group = [service, *companions(state, service)]
    together = sum((places[one.key] for one in group), Counter[str]())
    if len(group) == 1 or len(together) < 2:
        return frozenset()
    node = state.nodes[home(state, group, together)]
    able = node.status == "ready" and node.availability == "active"
    return frozenset(places[service.key]) - {node.id} if able else frozenset()
