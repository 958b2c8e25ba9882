"""The top level: its name, services, and what services share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from cluster.compose.canonical.grants import check_config, check_secret, config, secret
from cluster.compose.canonical.lifecycle import model
from cluster.compose.canonical.networks import DEFAULT, network
from cluster.compose.canonical.scope import Scope
from cluster.compose.canonical.services import is_active, service
from cluster.compose.canonical.volumes import volume
from cluster.compose.findings import quote
from cluster.compose.names import STACK, STACK_HINT
from cluster.compose.reading.keys import OWN, Table, anything, filled, ignored, read
from cluster.compose.reading.value import Value
from cluster.compose.tree.nodes import place_of

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
    keys = read(value, STACK_TABLE)
    if "services" not in keys:
        raise value.refuse("there are no services", 'add "services:" and one under it', "empty")
    found = _services(keys["services"], scope)
    value.report.end_stage()
    services = {name: one for name, one in sorted(found.items()) if one is not None}
    if found and not services:
        value.withhold("every service is left out, for all have profiles", "name one with --profile", "empty")
    _check_gates(value, found, services)
    document: Document = {"name": scope.stack, "services": services}
    for kind, shared in SHARED.items():
        document[kind] = _used(
            keys.get(kind), {name for one in services.values() for name in shared.of(one)}, shared, scope
        )
    _check_references(value, document, scope)
    if DEFAULT in {name for one in services.values() for name in one.get("networks", ())}:
        document["networks"].setdefault(DEFAULT, {"ipam": {}, "name": f"{scope.stack}_{DEFAULT}"})
    own = {key: found for key, found in keys.items() if key.startswith(OWN)}
    return filled({**document, **own}, "services")


def _used(value: Value | None, used: set[str], shared: Shared, scope: Scope) -> Document:
    """The entries of one kind that services use. Of the others only what is wrong is told."""
    if value is None:
        return {}
    found: Document = {}
    for name, child in value.entries().items():
        if not _NAME.fullmatch(name):
            message, hint = f"{quote(name)} cannot be a name", "letters, digits, -, _ and ."
            child.report.error(value.key_place(name), child.path, message, hint, "name")
        one = (child if name in used else child.aside()).attempt(partial(shared.read, name, scope=scope))
        if name in used and one is not None:
            found[name] = one
    return dict(sorted(found.items()))


def _check_gates(value: Value, found: Mapping[str, Document | None], services: Document) -> None:
    """A dependency on a service that is left out is one on nothing, and so is an optional one that names none."""
    for name, one in services.items():
        for target, gate in one.get("depends_on", {}).items():
            path = ("services", name, "depends_on", target)
            if target in found and target not in services and gate["required"]:
                hint = "switch one of its profiles on with --profile, or say required: false"
                message = f"{quote(target)} is left out: none of its profiles is on"
                value.report.error(place_of(value.node, path), path, message, hint, "profile")
            elif target not in found and not gate["required"]:
                message = f"there is no service {quote(target)}"
                value.report.error(place_of(value.node, path), path, message, code="undefined")


def _check_references(value: Value, document: Document, scope: Scope) -> None:
    """Whether the configs, secrets and models that services name are there, and can be had."""
    for kind in ("configs", "secrets", "models"):
        named = value.entries()[kind].entries() if kind in value.entries() else {}
        for name, one in document["services"].items():
            for used in SHARED[kind].of(one):
                if used not in named:
                    path = ("services", name, kind, used)
                    hint = f'add it at the top level, under "{kind}:"'
                    message = f"there is no {kind[:-1]} {quote(used)}"
                    value.report.error(place_of(value.node, path), path, message, hint, "undefined")
    for kind, check in (("configs", check_config), ("secrets", check_secret)):
        for key, found in document[kind].items():
            value.entries()[kind].entries()[key].attempt(partial(check, found, scope=scope))


def _services(value: Value, scope: Scope) -> dict[str, Document | None]:
    """The services; None for one that is left out."""
    entries = value.entries()
    if len(entries) > MOST_SERVICES:
        raise value.refuse(f"{len(entries)} services, more than {MOST_SERVICES}", code="too-large")
    found: dict[str, Document | None] = {}
    for name, child in entries.items():
        active = is_active(child, scope)
        one = (child if active else child.aside()).attempt(partial(service, name, scope=scope))
        found[name] = one if active else None
        if not active:
            scope.aside.append(name)
    return found


def _volumes(one: Document) -> Iterable[str]:
    mounts = one.get("volumes", ())
    return (mount["source"] for mount in mounts if mount["type"] == "volume" and mount.get("source"))


def _granted(kind: str) -> Callable[[Document], Iterable[str]]:
    return lambda one: (grant["source"] for grant in one.get(kind, ()))


def _map(value: Value) -> Value:
    """A map that is read later, once it is known what of it is used."""
    value.entries()
    return value


@dataclass(frozen=True, slots=True)
class Shared:
    """One kind of what services share: how an entry is read, and which entries a service uses."""

    read: Callable[..., Document]
    of: Callable[[Document], Iterable[str]]


SHARED = {
    "networks": Shared(network, lambda one: one.get("networks", ())),
    "volumes": Shared(volume, _volumes),
    "configs": Shared(config, _granted("configs")),
    "secrets": Shared(secret, _granted("secrets")),
    "models": Shared(model, lambda one: one.get("models", ())),
}
STACK_TABLE: Table = {
    **dict.fromkeys(("services", *SHARED), _map),
    "name": stack_name,
    "include": anything,
    "version": ignored(anything, "remove it"),
}
