"""What a service needs of others: `depends_on`, and the keys that make it depend on one besides."""

from __future__ import annotations

from typing import Any

from cluster.compose.reading.keys import Table, ignored, read
from cluster.compose.reading.value import Value

CONDITIONS = ("service_started", "service_healthy", "service_completed_successfully")
_TIES = ("network_mode", "ipc", "pid", "uts", "cgroup")
_OF_SERVICE = "service:"


def depends_on(value: Value) -> dict[str, Any]:
    """A list of services, or a map of them to what is waited for."""
    if value.is_list:
        return {name: {"condition": CONDITIONS[0], "required": True} for name in sorted(value.texts())}
    found = {name: child.attempt(_gate) for name, child in sorted(value.entries(or_list=True).items())}
    return {name: gate for name, gate in found.items() if gate is not None}


def _gate(value: Value) -> dict[str, Any]:
    return {"condition": CONDITIONS[0], "required": True, **read(value, DEPENDENCY)}


def implied(keys: dict[str, Any]) -> dict[str, Any]:
    """The services that others of a service's keys name, as `depends_on` would have them."""
    named = [link.partition(":")[0] for link in keys.get("links", [])]
    named += [text.partition(":")[0] for text in keys.get("volumes_from", []) if not text.startswith("container:")]
    named += [keys[key].removeprefix(_OF_SERVICE) for key in _TIES if keys.get(key, "").startswith(_OF_SERVICE)]
    return {name: {"condition": CONDITIONS[0], "restart": True, "required": True} for name in named}


DEPENDENCY: Table = {
    "condition": lambda value: value.word(CONDITIONS),
    "required": Value.boolean,
    "restart": ignored(Value.boolean, "not followed yet"),
}
