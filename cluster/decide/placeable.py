"""Whether a stack's tasks could ever get a machine: what none of those that are there can give is said at once.

How machines are now does not count, nor what runs there: they come back, and tasks end. What counts is what they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

from cluster.ask import NANO, Ask, ask_of, asks_as_before
from cluster.compose.problem import Problem
from cluster.compose.tree.nodes import Path
from cluster.constraints import SERVICES, Constraint, parse
from cluster.gpus import Wish, are_counted, cards_of, deal, may_have
from cluster.model import Node, State
from cluster.objections import counted, remedy
from cluster.policy import ENGINES, knows
from cluster.privileges import ALL
from cluster.spec import ServiceSpec, StackSpec

Reason = tuple[Path, str]
"""A part of a service, and why it cannot be had."""
RESERVED: Path = ("deploy", "resources", "reservations")
CONSTRAINTS: Path = ("deploy", "placement", "constraints")
LOOK = "`gbnt node ls -o wide` shows what each has"
# What an engine says of its machine: one that was not heard yet may still say it.
TOLD_BY_ENGINE = ("node.platform.os", "node.platform.arch", "engine.")


def unplaceable(state: State, spec: StackSpec) -> Problem | None:
    """Why the tasks of one of the services could go nowhere; None where all could. The message begins with a verb.

    Of what runs already with the same wishes nothing is said: a machine may have changed since.
    """
    for name, service in spec.services.items():
        if _is_news(state, spec, service) and (found := next(_reasons(state, spec, service), None)):
            place, why = found
            return Problem(("services", name, *place), why, code="policy")
    return None


def hopes(state: State, spec: StackSpec) -> tuple[str, ...]:
    """What to warn of where a service may go to machines of whose GPUs nobody knows the number."""
    news = [one for one in spec.services.values() if _is_news(state, spec, one)]
    return tuple(words for one in news if (words := _hope(state, ask_of(spec.name, one), one.name)))


def _is_news(state: State, spec: StackSpec, service: ServiceSpec) -> bool:
    known = state.services.get(f"{spec.name}/{service.name}")
    return not asks_as_before(spec.name, known.spec if known is not None else None, service)


def _hope(state: State, ask: Ask, name: str) -> str:
    counted = are_counted(state.nodes.values())
    unknown = sorted(node.name for node in _fitting(state.nodes.values(), ask) if may_have(node, counted=counted))
    if ask.gpus is None or not unknown:
        return ""
    return (
        f"service {name} asks for GPUs, and how many {' or '.join(unknown)} has is not known: they go to one task at a "
        "time, or to such as name their own; node-generic-resources in the engine's daemon.json tells the number"
    )


def _reasons(state: State, spec: StackSpec, service: ServiceSpec) -> Iterator[Reason]:
    ask, nodes = ask_of(spec.name, service), list(state.nodes.values())
    yield from _lonely(state, spec, service)
    known = are_counted(nodes)
    if nodes and all(_lacks(node, ask, known) for node in _fitting(nodes, ask)):
        yield from _nowhere(service, nodes, ask, known)


def _nowhere(service: ServiceSpec, nodes: Collection[Node], ask: Ask, known: bool) -> Iterator[Reason]:
    """What keeps a task from all machines: one thing that none has, or else all that none has at once."""
    for constraint in ask.terms.constraints:
        if not any(_may_meet(node, constraint, ask) for node in nodes):
            yield _place(service, constraint), _unmet(constraint, list(nodes))
    fit = _fitting(nodes, ask)
    if fit:
        yield from ((RESERVED, why) for why in _too_large(ask, fit))
        if ask.gpus is not None:
            yield from (((), why) for why in _gpus_short(ask.gpus, fit, counted=known))
        each = counted(Counter(f"lack {', '.join(_lacks(node, ask, known))}" for node in fit))
        yield (), f"asks for what no machine that it may go to has at once ({each}): {LOOK}"
    else:
        yield CONSTRAINTS, f"asks for what no machine is at once: {', '.join(map(str, ask.terms.constraints))}"


def _place(service: ServiceSpec, constraint: Constraint) -> Path:
    """Where a service says a constraint; one that it does not say comes from its platform."""
    texts = enumerate(service.placement.constraints)
    return next(((*CONSTRAINTS, index) for index, text in texts if parse(text) == constraint), ("platform",))


def _lacks(node: Node, ask: Ask, known: bool) -> list[str]:
    """What an empty machine has too little of, in words; one that was not heard yet may have all.

    `known` is whether any machine tells how many GPUs it has.
    """
    short = [f"Docker Engine {ENGINES[api]} for {key}" for key, api in ask.terms.needs if not knows(node, api)]
    if not (node.cpus and node.memory):
        return short
    short += [f"{_cpus(ask)} CPUs"] if ask.nano_cpus > node.cpus * NANO else []
    short += [f"{_memory(ask)} of memory"] if ask.memory > node.memory else []
    if ask.gpus is not None and deal(ask.gpus, node, counted=known).against:
        short.append(_gpus(ask.gpus))
    return short


def _fitting(nodes: Iterable[Node], ask: Ask) -> list[Node]:
    return [node for node in nodes if all(_may_meet(node, one, ask) for one in ask.terms.constraints)]


def _may_meet(node: Node, constraint: Constraint, ask: Ask) -> bool:
    unheard = not node.engine_version and constraint.key.startswith(TOLD_BY_ENGINE)
    return unheard or constraint.allows(node, ask.terms.stack)


def _unmet(constraint: Constraint, nodes: list[Node]) -> str:
    first = min(nodes, key=lambda node: node.name)
    mended = remedy(constraint, first)
    would = f": {mended} would change that" if mended.startswith("`") else ""
    return f"asks for {constraint}, which no machine meets ({counted({constraint.fault: len(nodes)})}){would}"


def _too_large(ask: Ask, fit: Iterable[Node]) -> Iterator[str]:
    by_cpus, by_memory = max(fit, key=lambda node: node.cpus), max(fit, key=lambda node: node.memory)
    if ask.nano_cpus > by_cpus.cpus * NANO:
        yield (
            f"reserves {_cpus(ask)} CPUs, and the machine with most of those that it may go to, "
            f"{by_cpus.name}, has {by_cpus.cpus}: reserve less"
        )
    if ask.memory > by_memory.memory:
        yield (
            f"reserves {_memory(ask)} of memory, and the machine with most of it that it may go to, "
            f"{by_memory.name}, has {by_memory.memory / 1e6:.0f} MB: reserve less"
        )


def _gpus_short(wish: Wish, fit: Collection[Node], *, counted: bool) -> Iterator[str]:
    if not all(deal(wish, node, counted=counted).against for node in fit):
        return
    most = max(len(cards_of(node.gpus)) for node in fit)
    has = "is known to have one" if not most else "has that" if wish.ids else f"has more than {most}"
    yield f"asks for {_gpus(wish)}, and no machine that it may go to {has}: {LOOK}"


def _cpus(ask: Ask) -> str:
    return f"{ask.nano_cpus / NANO:g}"


def _memory(ask: Ask) -> str:
    return f"{ask.memory / 1e6:.0f} MB"


def _gpus(wish: Wish) -> str:
    if wish.number == ALL:
        return "all GPUs of a machine"
    return str(wish) if wish.ids else f"{wish} GPU{'s' if wish.number > 1 else ''}"


def _lonely(state: State, spec: StackSpec, service: ServiceSpec) -> Iterator[Reason]:
    """What is wrong with the company that a service asks for."""
    for index, text in enumerate(service.placement.constraints):
        constraint, place = parse(text), (*CONSTRAINTS, index)
        for name in constraint.values if constraint.key == SERVICES else ():
            if "/" not in name and name not in spec.services:
                there = f"there are {_listed(spec.services)}"
                yield place, f"names {name} in {text}, which is no service of this stack: {there}"
            if "/" in name and constraint.wanted and name not in state.services:
                yield place, f"waits for a task of {name}, and there is no such service: deploy that first"
    circle = _circle(spec, service.name)
    if circle:
        yield (), f"could never start its first task: {' waits for '.join(circle)}, by node.services"


def _circle(spec: StackSpec, start: str) -> list[str]:
    """Services of which each can only be where the next one is already, from one round to itself; empty for none."""
    ways = [[start]]
    seen = set[str]()
    while ways:
        way = ways.pop()
        for name in _joined(spec, way[-1]):
            if name == start:
                return [*way, start]
            if name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return []


def _joined(spec: StackSpec, name: str) -> list[str]:
    """The services of the same stack that one can only be with."""
    own = f"{spec.name}/"
    service = spec.services.get(name)
    joins = ask_of(spec.name, service).joins if service is not None else ()
    alone = [next(iter(wanted)) for wanted in joins if len(wanted) == 1]
    return [key.removeprefix(own) for key in alone if key.startswith(own)]


def _listed(services: Mapping[str, ServiceSpec]) -> str:
    return ", ".join(sorted(services))
