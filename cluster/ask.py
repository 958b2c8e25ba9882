"""What a service asks of a machine, worked out once for all of its tasks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import takewhile

from cluster.constraints import SERVICES, STACK, Constraint, parse
from cluster.gpus import Wish, wish_of
from cluster.model import Node
from cluster.policy import Need, needs
from cluster.spec import Placement, ServiceSpec

# Keys that no two machines share: to spread over one is to have few on each machine.
UNIQUE = ("node.id", "node.hostname")
NANO = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Terms:
    """What is asked of a machine itself, whatever runs there: the same for many services.

    `stack` is set where a constraint is about that. `packs`: a machine that has much is better than one with little.
    `apart`: one that has few tasks of the service is better than one with many. `needs` are keys that not every engine
    knows, with the API that brought each.
    """

    constraints: tuple[Constraint, ...]
    spread: tuple[str, ...]
    packs: bool
    apart: bool
    stack: str = ""
    needs: tuple[Need, ...] = ()

    def allow(self, node: Node) -> bool:
        """Whether a machine meets the constraints."""
        return all(one.allows(node, self.stack) for one in self.constraints)


@dataclass(frozen=True, slots=True)
class Ask:
    """A service's terms, what its tasks reserve, and which other services (`stack/name`) they want to be with.

    `joins` has a set for each constraint: a task of one of these must be there. CPUs are in billionths.
    """

    terms: Terms
    image: str
    nano_cpus: int
    memory: int
    gpus: Wish | None
    ports: tuple[tuple[str, int], ...]
    most: int
    joins: tuple[frozenset[str], ...]
    shuns: tuple[str, ...]


def ask_of(stack: str, spec: ServiceSpec) -> Ask:
    """What a service of that stack asks. Raises NoConstraint; the loader has made sure that each text is one."""
    terms, joins, shuns = _company(stack, spec.placement, spec.platform)
    needed = tuple(needs(spec))
    return Ask(
        terms=replace(terms, needs=needed) if needed else terms,
        image=spec.reference,
        nano_cpus=round((spec.reserved.cpus or 0.0) * NANO),
        memory=spec.reserved.memory or 0,
        gpus=wish_of(spec.privileges.requests),
        ports=tuple((one.protocol, one.published) for one in spec.ports if one.published and not one.published_last),
        most=spec.placement.max_replicas_per_node,
        joins=joins,
        shuns=shuns,
    )


def asks_as_before(stack: str, before: ServiceSpec | None, now: ServiceSpec) -> bool:
    """Whether a service, None before there was one, asks the same of machines.

    The image and the ports do not count: no machine is without them for good.
    """
    return before is not None and _lasting(stack, before) == _lasting(stack, now)


def _lasting(stack: str, spec: ServiceSpec) -> Ask:
    return replace(ask_of(stack, spec), image="", ports=())


@lru_cache(maxsize=4096)
def _company(
    stack: str, placement: Placement, platform: str
) -> tuple[Terms, tuple[frozenset[str], ...], tuple[str, ...]]:
    constraints = [parse(text) for text in (*placement.constraints, *_of_platform(platform))]
    spread = tuple(takewhile(lambda key: key not in UNIQUE, placement.spread))
    company = [one for one in constraints if one.key == SERVICES]
    alone = tuple(one for one in constraints if one.key != SERVICES)
    about = stack if any(one.key == STACK for one in alone) else ""
    apart = not placement.binpack or len(spread) < len(placement.spread)
    terms = Terms(alone, spread, placement.binpack, apart, about)
    joins = tuple(frozenset(_keys(stack, one.values)) for one in company if one.wanted)
    shuns = {key for one in company if not one.wanted for key in _keys(stack, one.values)}
    return terms, joins, tuple(sorted(shuns))


def _of_platform(platform: str) -> Iterator[str]:
    """`linux/arm64/v8` as constraints; machines do not tell variants apart."""
    os, _, rest = platform.partition("/")
    arch = rest.partition("/")[0]
    if os:
        yield f"node.platform.os == {os}"
    if arch:
        yield f"node.platform.arch == {arch}"


def _keys(stack: str, names: Iterable[str]) -> Iterator[str]:
    """Services by their keys: one without a stack is of the same stack."""
    return (name if "/" in name else f"{stack}/{name}" for name in names)
