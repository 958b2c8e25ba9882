"""What a cluster lets its stacks ask of machines: keys that make a container mighty, and keys that are too new.

Asked before a deploy changes anything; what runs already is not asked again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, cast, get_args

from cluster.compose.problem import Problem
from cluster.compose.tree.nodes import Path
from cluster.might import mighty
from cluster.model import Node, State
from cluster.spec import ServiceSpec, StackSpec
from cluster.volumes import named_volumes

Privileged = Literal["auto", "allow", "refuse"]
"""Whether keys that make a container mighty are taken; `auto` takes them while there is but one machine."""

PRIVILEGED = "privileged"
"""The setting that holds what people chose in the place of `auto`."""
ALLOW = "gbnt legion update --privileged allow"
"""What a person types who wants them on many machines."""

Need = tuple[str, tuple[int, int]]
"""A key of a service, and the API of Docker Engine that brought it."""

ENGINES = {(1, 42): "23.0", (1, 43): "24.0", (1, 44): "25.0", (1, 45): "26.0", (1, 48): "28.0"}
"""The Docker Engine that brought an API, as its version history says."""


def privileged(state: State) -> Privileged:
    """What people chose."""
    chosen = state.settings.get(PRIVILEGED, "auto")
    return cast(Privileged, chosen) if chosen in get_args(Privileged) else "refuse"


def takes_mighty(state: State) -> bool:
    """Whether a stack may use keys that make its containers as mighty as the machine's root."""
    chosen = privileged(state)
    return chosen == "allow" or (chosen == "auto" and len(state.nodes) <= 1)


def objections(state: State, spec: StackSpec) -> Iterator[Problem]:
    """Why the stack may not be deployed here: of each service that is new or changed, with what to do."""
    for service in spec.services.values():
        if _is_known(state, spec, service):
            continue
        keys = list(mighty(service, spec.volumes))
        if keys and not takes_mighty(state):
            words = f"{', '.join(keys)} would let its containers do all that root does on a machine"
            yield _of(service, (), f"{words}, and {_why(state)}: remove that, or allow it: `{ALLOW}`")
        yield from _too_new(service, list(state.nodes.values()))


def _is_known(state: State, spec: StackSpec, service: ServiceSpec) -> bool:
    """Whether the service is deployed just so, and the volumes that it may mount with it."""
    known, stack = state.services.get(f"{spec.name}/{service.name}"), state.stacks.get(spec.name)
    if known is None or stack is None or known.spec != service:
        return False
    return all(stack.spec.volumes.get(key) == spec.volumes.get(key) for key in named_volumes(service))


def _why(state: State) -> str:
    return "people said no" if privileged(state) == "refuse" else f"this cluster has {len(state.nodes)}"


def needs(service: ServiceSpec) -> Iterator[Need]:
    """The keys that not every Docker Engine knows, each with the API that brought it."""
    if service.annotations:
        yield "annotations", (1, 43)
    if service.healthcheck is not None and service.healthcheck.start_interval is not None:
        yield "healthcheck.start_interval", (1, 44)
    for place in service.networks:
        if place.mac_address:
            yield f"networks.{place.network}.mac_address", (1, 44)
        if place.gateway_priority:
            yield f"networks.{place.network}.gw_priority", (1, 48)
    for mount in service.mounts:
        if mount.subpath:
            yield f"volumes: subpath of {mount.target}", (1, 45)


def knows(node: Node, api: tuple[int, int]) -> bool:
    """Whether the machine's engine speaks that API; one that has not said so yet may."""
    return not node.engine_api or _numbers(node.engine_api) >= api


def _too_new(service: ServiceSpec, nodes: list[Node]) -> Iterator[Problem]:
    for key, api in needs(service):
        if nodes and not any(knows(node, api) for node in nodes):
            found = ", ".join(sorted({f"{node.name} {node.engine_version}" for node in nodes}))
            words = f"{key} needs Docker Engine {ENGINES[api]} or later, and no machine has that ({found})"
            place = () if ":" in key else tuple(key.split("."))
            yield _of(service, place, f"{words}: remove it, or bring an engine up to date")


def _of(service: ServiceSpec, place: Path, why: str) -> Problem:
    return Problem(("services", service.name, *place), why, code="policy")


def _numbers(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return int(major), int(minor)
