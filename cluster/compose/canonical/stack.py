"""The top level: its name, services, and what services share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

from cluster.compose.canonical.grants import LARGEST_CONFIG, LARGEST_SECRET, check_source, config, secret
from cluster.compose.canonical.lifecycle import model
from cluster.compose.canonical.networks import DEFAULT, network
from cluster.compose.canonical.scope import Scope
from cluster.compose.canonical.services import is_active, service
from cluster.compose.canonical.volumes import volume
from cluster.compose.findings import quote
from cluster.compose.names import STACK, STACK_HINT
from cluster.compose.reading.keys import OWN, Table, anything, filled, ignored, never, read
from cluster.compose.reading.value import Value

T = TypeVar("T")
Document = dict[str, Any]

_NAME = re.compile(r"[a-zA-Z0-9._-]+")
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


def stack(value: Value, scope: Scope) -> Document:
    """The whole in canonical form. What no active service uses is left out."""
    keys = read(value, stack_table(scope))
    value.report.end_stage()
    services: dict[str, Document | None] = keys.get("services", {})
    if not services:
        raise value.refuse("there are no services", 'add "services:" and one under it', "empty")
    active = {name: one for name, one in sorted(services.items()) if one is not None}
    if not active:
        raise value.refuse("every service is left out, for all have profiles", "name one with --profile", "empty")
    _check_gates(value, services, active)
    declared = {DEFAULT: {"ipam": {}, "name": f"{scope.stack}_{DEFAULT}"}, **keys.get("networks", {})}
    document = {
        "name": scope.stack,
        "services": active,
        "networks": _used(declared, (name for one in active.values() for name in one.get("networks", ()))),
        "volumes": _used(keys.get("volumes", {}), _volumes(active)),
        "configs": _used(keys.get("configs", {}), _granted(active, "configs")),
        "secrets": _used(keys.get("secrets", {}), _granted(active, "secrets")),
        "models": _used(keys.get("models", {}), (name for one in active.values() for name in one.get("models", ()))),
        **{key: found for key, found in keys.items() if key.startswith(OWN)},
    }
    _check_references(value, document, scope)
    return filled(document)


def _used(declared: Document, names: Iterable[str]) -> Document:
    return {name: declared[name] for name in sorted(set(names)) if name in declared}


def _volumes(services: Document) -> Iterable[str]:
    mounts = (mount for one in services.values() for mount in one.get("volumes", ()))
    return (mount["source"] for mount in mounts if mount["type"] == "volume" and mount.get("source"))


def _granted(services: Document, kind: str) -> Iterable[str]:
    return (grant["source"] for one in services.values() for grant in one.get(kind, ()))


def _check_gates(value: Value, services: Mapping[str, Any], active: Document) -> None:
    """A dependency on a service that is left out is one on nothing, and so is an optional one that names none."""
    entries = value.entries()["services"].entries()
    for name, one in active.items():
        for target, gate in one.get("depends_on", {}).items():
            place = entries[name].entries().get("depends_on", entries[name])
            if target in services and target not in active and gate["required"]:
                hint = "switch one of its profiles on with --profile, or say required: false"
                message = f"needs {quote(target)}, which is left out: none of its profiles is on"
                value.report.refuse(place.refuse(message, hint, "profile").finding)
            elif target not in services and not gate["required"]:
                value.report.refuse(place.refuse(f"there is no service {quote(target)}", code="undefined").finding)


def _check_references(value: Value, document: Document, scope: Scope) -> None:
    """Whether the configs, secrets and models that services name are there, and can be had."""
    top = value.entries()
    for kind in ("configs", "secrets", "models"):
        named = top[kind].entries() if kind in top else {}
        for name, one in document["services"].items():
            for used in _granted({name: one}, kind) if kind != "models" else one.get(kind, ()):
                if used not in named:
                    where = top["services"].entries()[name].entries()[kind]
                    hint = f'add it at the top level, under "{kind}:"'
                    value.report.refuse(
                        where.refuse(f"there is no {kind[:-1]} {quote(used)}", hint, "undefined").finding
                    )
    for kind, most in (("configs", LARGEST_CONFIG), ("secrets", LARGEST_SECRET)):
        for key, found in document[kind].items():
            top[kind].entries()[key].attempt(partial(_source_checked, key, found, most, scope))


def _source_checked(key: str, found: Document, most: int, scope: Scope, value: Value) -> None:
    check_source(key, found, value, most, scope)


def _named(value: Value, read_one: Callable[[str, Value], T]) -> dict[str, T]:
    """A map of names, each read by `read_one`."""
    for name, child in value.entries().items():
        if not _NAME.fullmatch(name):
            message = f"{quote(name)} cannot be a name"
            value.report.error(value.key_place(name), child.path, message, "letters, digits, -, _ and .", "name")
    found = {name: child.attempt(partial(read_one, name)) for name, child in value.entries().items()}
    return {name: one for name, one in found.items() if one is not None}


def _services(value: Value, scope: Scope) -> dict[str, Document | None]:
    """The services; None for one that is left out."""
    if len(value.entries()) > MOST_SERVICES:
        raise value.refuse(f"{len(value.entries())} services, more than {MOST_SERVICES}", code="too-large")
    found: dict[str, Document | None] = {}
    for name, child in value.entries().items():
        active = is_active(child, scope)
        one = (child if active else child.aside()).attempt(partial(service, name, scope=scope))
        found[name] = one if active else None
    return found


def stack_table(scope: Scope) -> Table:
    """Every key of the top level."""
    return {
        "name": stack_name,
        "services": partial(_services, scope=scope),
        "networks": partial(_named, read_one=partial(network, stack=scope.stack)),
        "volumes": partial(_named, read_one=partial(volume, stack=scope.stack)),
        "configs": partial(_named, read_one=partial(config, scope=scope)),
        "secrets": partial(_named, read_one=partial(secret, scope=scope)),
        "models": never(partial(_named, read_one=lambda name, value: model(value))),
        "include": anything,
        "version": ignored(anything, "remove it"),
    }
