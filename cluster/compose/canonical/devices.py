"""What a container is given of its machine: devices, GPUs, and bounds on the use of both."""

from __future__ import annotations

from typing import Any

from cluster.compose.canonical.pairs import texts
from cluster.compose.canonical.quantities import bytes_text
from cluster.compose.findings import quote
from cluster.compose.reading.keys import Table, filled, read
from cluster.compose.reading.value import LARGEST_INTEGER, Value

ALL = -1
_MOST_WEIGHT = 1_000
_WHICH = "name the device: path: /dev/…"


def devices(value: Value) -> list[dict[str, Any]]:
    """`devices`: `source[:target[:permissions]]`, a map of the three, or the name of one by CDI.

    Of two at one target the last counts.
    """
    return list({device["target"]: device for device in value.each(_device)}.values())


def _device(item: Value) -> dict[str, Any]:
    if item.is_map:
        keys = read(item, DEVICE, {"source": "name the device: source: /dev/…"})
        return {"target": keys["source"], "permissions": "rwm", **keys}
    text = item.string()
    parts = text.split(":")
    if not all(parts) or len(parts) > 3:
        raise item.refuse(f"{quote(text)} is no device", 'write it as in "/dev/snd:/dev/snd:rw"')
    target = parts[1] if len(parts) > 1 else parts[0]
    return {"source": parts[0], "target": target, "permissions": parts[2] if len(parts) > 2 else "rwm"}


def _permissions(value: Value) -> str:
    text = value.string()
    if not text or set(text) - set("rwm"):
        raise value.refuse(f"{quote(text)} are no permissions", 'write letters of "rwm"')
    return text


def gpus(value: Value) -> list[dict[str, Any]]:
    """`gpus`: `all`, or a list of requests."""
    if not value.is_list:
        value.word(("all",))
        return [{"count": ALL}]
    return value.each(_gpu)


def _gpu(item: Value) -> dict[str, Any]:
    return _request(item, GPU)


def device_request(item: Value) -> dict[str, Any]:
    """An entry of `deploy.resources.reservations.devices`."""
    return _request(item, REQUEST, {"capabilities": 'say of what kind: capabilities: ["gpu"]'})


def _request(item: Value, table: Table, required: dict[str, str] | None = None) -> dict[str, Any]:
    keys = filled(read(item, table, required or {}))
    if "count" in keys and "device_ids" in keys:
        raise item.refuse("has count and device_ids", "remove one of the two", "conflict")
    return keys if "device_ids" in keys else {"count": ALL, **keys}


def _count(value: Value) -> int:
    return ALL if value.rendered() == "all" else value.integer(ALL, LARGEST_INTEGER)


def ulimits(value: Value) -> dict[str, Any]:
    """`ulimits`: each a number for both, or soft and hard."""
    found = {name: child.attempt(_ulimit) for name, child in value.entries().items()}
    return {name: limit for name, limit in found.items() if limit is not None}


def _ulimit(value: Value) -> int | dict[str, int]:
    if not value.is_map:
        return _bound(value)
    keys: dict[str, int] = read(value, ULIMIT, {key: f"say both: {{soft: …, {key}: …}}" for key in ("hard", "soft")})
    if keys["soft"] > keys["hard"] != -1 or keys["soft"] == -1 != keys["hard"]:
        raise value.refuse("the soft limit is above the hard one", "lower the soft one", "range")
    return keys


def _bound(value: Value) -> int:
    return value.integer(-1, LARGEST_INTEGER)


def blkio(value: Value) -> dict[str, Any]:
    """`blkio_config`."""
    return filled(read(value, BLKIO))


def _weight(value: Value) -> int:
    return value.integer(0, _MOST_WEIGHT)


def _rates(value: Value) -> list[dict[str, Any]]:
    return value.each(lambda item: read(item, RATE, {"path": _WHICH, "rate": "say how much a second: rate: 1mb"}))


def _weights(value: Value) -> list[dict[str, Any]]:
    return value.each(lambda item: read(item, WEIGHT, {"path": _WHICH, "weight": "say its share: weight: 500"}))


DEVICE: Table = {"source": Value.string, "target": Value.string, "permissions": _permissions}
GPU: Table = {
    "capabilities": Value.texts,
    "count": _count,
    "device_ids": Value.texts,
    "driver": Value.string,
    "options": texts,
}
REQUEST: Table = GPU
ULIMIT: Table = {"soft": _bound, "hard": _bound}
RATE: Table = {"path": Value.string, "rate": bytes_text}
WEIGHT: Table = {"path": Value.string, "weight": _weight}
BLKIO: Table = {
    "weight": _weight,
    "weight_device": _weights,
    "device_read_bps": _rates,
    "device_read_iops": _rates,
    "device_write_bps": _rates,
    "device_write_iops": _rates,
}
