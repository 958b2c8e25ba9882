"""The file's named volumes."""

from __future__ import annotations

from cluster.compose.environment import texts
from cluster.compose.external import external, name_of
from cluster.compose.keys import Table, read
from cluster.compose.value import Value
from cluster.spec import VolumeSpec


def volume(key: str, value: Value, stack: str) -> VolumeSpec:
    """An entry of the top-level `volumes`."""
    keys = read(value, _VOLUME)
    name = name_of(key, keys, stack)
    if "external" not in keys:
        return VolumeSpec(
            name,
            driver=keys.get("driver", ""),
            options=keys.get("driver_opts", {}),
            labels=keys.get("labels", {}),
        )
    for other in ("driver", "driver_opts", "labels"):
        if other in keys:
            raise value.refuse(f"is external, and has {other}", "remove one of the two", "conflict")
    return VolumeSpec(name, external=True)


_VOLUME: Table = {
    "name": Value.string,
    "external": external,
    "driver": Value.string,
    "driver_opts": texts,
    "labels": texts,
}
