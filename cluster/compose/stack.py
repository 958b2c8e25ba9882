"""The top level of a file: its name, services, networks and volumes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeVar

from cluster.compose.findings import quote
from cluster.compose.keys import Fact, Table, Unread, later, read
from cluster.compose.names import STACK, STACK_HINT
from cluster.compose.networks import DEFAULT, network
from cluster.compose.scope import Scope
from cluster.compose.service import ReadService, service
from cluster.compose.value import Value
from cluster.compose.volumes import volume
from cluster.spec import NetworkSpec, RestartPolicy, ServiceSpec, StackSpec

T = TypeVar("T")

MOST_SERVICES = 2_000


def folder_name(folder: str) -> str:
    """The stack's name that a folder gives: in lower case, without what a name cannot hold. It may be empty."""
    return re.sub(r"[^a-z0-9_-]", "", folder.rstrip("/").rpartition("/")[2].lower()).lstrip("_-")


def stack_name(value: Value) -> str:
    """The file's own `name:`."""
    name = value.string()
    if not STACK.fullmatch(name):
        raise value.refuse(f"{quote(name)} cannot be a stack's name", STACK_HINT, "name")
    return name


def stack(value: Value, scope: Scope) -> StackSpec:
    """The whole file. Networks and volumes that no active service uses are left out."""
    keys = read(value, _table(scope))
    value.report.end_stage()
    found: dict[str, ReadService] = keys.get("services", {})
    services = _settled({name: one for name, one in found.items() if one.active})
    if not found:
        raise value.refuse("there are no services", 'add "services:" and one under it', "empty")
    if not services:
        raise value.refuse("every service is left out, for all have profiles", "remove profiles from one", "empty")
    used_networks = {place.network for one in services.values() for place in one.networks}
    used_volumes = {mount.source for one in services.values() for mount in one.mounts if mount.type == "volume"}
    declared: dict[str, NetworkSpec] = {DEFAULT: NetworkSpec(f"{scope.stack}_{DEFAULT}"), **keys.get("networks", {})}
    return StackSpec(
        scope.stack, services, _used(declared, used_networks), _used(keys.get("volumes", {}), used_volumes)
    )


def _used(declared: Mapping[str, T], names: Iterable[str]) -> dict[str, T]:
    return {name: declared[name] for name in sorted(names) if name in declared}


def _settled(found: Mapping[str, ReadService]) -> dict[str, ServiceSpec]:
    """The services in order of name; one that others wait for to complete is let complete, unless the file objects."""
    awaited = {
        gate.service
        for one in found.values()
        for gate in one.spec.depends_on
        if gate.condition == "service_completed_successfully"
    }
    return {
        name: replace(one.spec, restart=RestartPolicy("on-failure"))
        if name in awaited and not one.restart_given
        else one.spec
        for name, one in sorted(found.items())
    }


def _named(value: Value, read_one: Callable[[str, Value], T]) -> dict[str, T]:
    """A map of names, each read by `read_one`."""
    found = {name: child.attempt(partial(read_one, name)) for name, child in value.entries().items()}
    return {name: one for name, one in found.items() if one is not None}


def _services(value: Value, scope: Scope) -> dict[str, ReadService]:
    if len(value.entries()) > MOST_SERVICES:
        raise value.refuse(f"{len(value.entries())} services, more than {MOST_SERVICES}", code="too-large")
    return _named(value, lambda name, child: service(name, child, scope))


def _table(scope: Scope) -> Table:
    return {
        "name": stack_name,
        "services": lambda value: _services(value, scope),
        "networks": lambda value: _named(value, lambda name, child: network(name, child, scope.stack)),
        "volumes": lambda value: _named(value, lambda name, child: volume(name, child, scope.stack)),
        "version": Fact(Unread.IGNORED, "remove it"),
        "include": Fact(Unread.REFUSED, "put the services into this file"),
        **later("configs", "secrets", "models"),
    }
