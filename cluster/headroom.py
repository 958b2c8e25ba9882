"""Updates that start a task beside the one before it, and whether the machines have room for both."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from math import inf

from cluster.ask import NANO, Ask, ask_of
from cluster.company import bonds
from cluster.gpus import Wish, are_counted, cards_of, deal
from cluster.model import Node, State
from cluster.privileges import ALL
from cluster.spec import ServiceSpec, StackSpec
from cluster.volumes import named_volumes


def candidates(state: State, stack: str, service: ServiceSpec) -> list[Node]:
    """The machines that take new tasks and meet the service's constraints, by name."""
    terms = ask_of(stack, service).terms
    fit = [node for node in state.nodes.values() if node.availability == "active" and terms.allow(node)]
    return sorted(fit, key=lambda node: node.name)


def cramped(state: State, spec: StackSpec) -> Iterator[str]:
    """A sentence for each service whose updates would wait for their own predecessors, whatever else runs there."""
    for name, service in spec.services.items():
        if service.update.order != "start-first" or not service.replicas:
            continue
        ask = ask_of(spec.name, service)
        counted = are_counted(state.nodes.values())
        rooms = [_room(node, ask, counted) for node in candidates(state, spec.name, service)]
        room, needed = _in_all(spec, service, rooms), 1 if service.mode == "global" else service.replicas
        if 0 < room <= needed:
            yield (
                f"service {name}: an update starts a task beside the one before it (start-first), and where its tasks "
                f"may be there is room for {room:g} of them, of which there are {needed}: it would wait for ever; "
                "write update_config.order: stop-first"
            )


def _in_all(spec: StackSpec, service: ServiceSpec, rooms: list[float]) -> float:
    """How many tasks there is room for where they may be: on each machine, together on one, or on any."""
    if service.mode == "global":
        return min(rooms, default=0)
    others = (bonds(one) for one in spec.services.values() if one.name != service.name and one.mode != "global")
    tied = not bonds(service).isdisjoint(chain.from_iterable(others))
    together = tied or service.built_on or named_volumes(service)
    return max(rooms, default=0) if together else sum(rooms)


def _room(node: Node, ask: Ask, counted: bool) -> float:
    """How many tasks an empty machine has room for; of one that was not heard yet that is not known, and no limit."""
    limits = (
        (ask.most, ask.most),
        (ask.ports, 1),
        (ask.nano_cpus and node.cpus, node.cpus * NANO // (ask.nano_cpus or 1)),
        (ask.memory and node.memory, node.memory // (ask.memory or 1)),
    )
    room: float = min((most for limited, most in limits if limited), default=inf)
    return room if ask.gpus is None else min(room, _rounds(ask.gpus, node, counted))


def _rounds(wish: Wish, node: Node, counted: bool) -> int:
    """How many tasks a machine has GPUs for; those that are chosen, or whose number nobody knows, are for one."""
    if deal(wish, node, counted=counted).against:
        return 0
    return 1 if wish.number == ALL or wish.ids or not node.gpus else len(cards_of(node.gpus)) // wish.number
