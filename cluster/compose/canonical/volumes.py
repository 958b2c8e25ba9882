"""The file's named volumes."""

from __future__ import annotations

from typing import Any

from cluster.compose.canonical.external import external, named
from cluster.compose.canonical.pairs import options, texts
from cluster.compose.canonical.scope import Scope
from cluster.compose.reading.keys import Table, filled, read
from cluster.compose.reading.value import Value


def volume(key: str, value: Value, scope: Scope) -> dict[str, Any]:
    """An entry of the top-level `volumes`."""
    keys = read(value, VOLUME)
    for other in ("driver", "driver_opts", "labels") if "external" in keys else ():
        if other in keys:
            raise value.refuse(f"is external, and has {other}", "remove one of the two", "conflict")
    options = keys.get("driver_opts", {})
    if keys.get("driver") == "local" and "bind" in options.get("o", "").split(",") and "device" in options:
        options["device"] = value.place.text.resolve(options["device"])
    return filled(named(key, keys, scope.stack))


VOLUME: Table = {
    "name": Value.string,
    "external": external,
    "driver": Value.string,
    "driver_opts": options,
    "labels": texts,
}
