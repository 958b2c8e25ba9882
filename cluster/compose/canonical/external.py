"""`external` and `name`, which networks, volumes, configs and secrets share."""

from __future__ import annotations

from typing import Any

from cluster.compose.reading.keys import Table, read
from cluster.compose.reading.value import Value


def external(value: Value) -> str | None:
    """None unless external; else the name that the old form `external: {name: NAME}` gives, or an empty one."""
    if not value.is_map:
        return "" if value.boolean() else None
    keys = read(value, EXTERNAL)
    value.warn("external.name is an old form", 'write "external: true" and "name:" beside it', "deprecated")
    return str(keys.get("name", ""))


def named(key: str, keys: dict[str, Any], stack: str) -> dict[str, Any]:
    """The keys with the engine's name: as given, the key itself where external, else the stack's name before it."""
    if "external" not in keys:
        return {**keys, "name": keys.get("name") or f"{stack}_{key}"}
    return {**keys, "external": True, "name": keys.get("name") or keys["external"] or key}


EXTERNAL: Table = {"name": Value.string}
