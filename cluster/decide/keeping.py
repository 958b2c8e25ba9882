"""Services that left a stack's file: kept with what they need, for a file may be but a part of what a person meant."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TypeVar

from cluster.compose.checks import wrong
from cluster.decide.decision import Refusal
from cluster.model import Service, State
from cluster.spec import ServiceSpec, StackSpec
from cluster.volumes import named_volumes

T = TypeVar("T")


def left(state: State, wanted: StackSpec) -> list[Service]:
    """The services of the stack that `wanted` has no more, by name; those that are being removed are gone already."""
    mine = state.services_of(wanted.name)
    return [service for service in mine if service.name not in wanted.services and not service.removing]


def keep(state: State, wanted: StackSpec, names: Collection[str]) -> StackSpec | Refusal:
    """The stack as wanted, and the named services of before, with the networks, volumes and configs that these need.

    What the file says under one of their keys counts before what was there. Refused where the two do not go together,
    as where a service was given another name and publishes the same port.
    """
    if not names:
        return wanted
    known = state.stacks[wanted.name].spec
    kept = {name: known.services[name] for name in names}
    whole = replace(
        wanted,
        services={**wanted.services, **kept},
        networks={**_of(known.networks, _networks(kept)), **wanted.networks},
        volumes={**_of(known.volumes, _volumes(kept)), **wanted.volumes},
        configs={**_of(known.configs, _configs(kept)), **wanted.configs},
    )
    if why := wrong(whole):
        who = f"{', '.join(names)} left the file and {'is' if len(names) == 1 else 'are'} kept"
        way = "deploy with --prune to remove what left, or put it back; what its profile alone leaves out,"
        return Refusal("conflict", f"{why}. {who}: {way} `gbnt service rm` removes")
    return whole


def _of(known: Mapping[str, T], keys: set[str]) -> dict[str, T]:
    return {key: one for key, one in known.items() if key in keys}


def _networks(services: Mapping[str, ServiceSpec]) -> set[str]:
    return {place.network for service in services.values() for place in service.networks}


def _volumes(services: Mapping[str, ServiceSpec]) -> set[str]:
    return {name for service in services.values() for name in named_volumes(service)}


def _configs(services: Mapping[str, ServiceSpec]) -> set[str]:
    return {file.source for service in services.values() for file in service.configs}
