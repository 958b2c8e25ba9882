"""`external` and `name`, which networks and volumes share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cluster.compose.keys import read
from cluster.compose.value import Value


def external(value: Value) -> str | None:
    """None unless external; else the name that the old form `external: {name: NAME}` gives, or an empty one."""
    if not value.is_map:
        return "" if value.boolean() else None
    keys = read(value, {"name": Value.string})
    value.warn("external.name is an old form", 'write "external: true" and "name:" beside it', "deprecated")
    return str(keys.get("name", ""))


def name_of(key: str, keys: Mapping[str, Any], stack: str) -> str:
    """The engine's name: as given, the key itself where external, else the stack's name before the key."""
    own = keys.get("name") or keys.get("external")
    return str(own) if own else key if "external" in keys else f"{stack}_{key}"
