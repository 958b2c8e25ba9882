"""A service as a whole: what its keys say together."""

from __future__ import annotations

from typing import Any

from cluster.compose.canonical.dependencies import implied
from cluster.compose.canonical.environment import environment, labels
from cluster.compose.canonical.networks import DEFAULT
from cluster.compose.canonical.scope import Scope
from cluster.compose.canonical.service import service_table
from cluster.compose.reading.keys import filled, read
from cluster.compose.reading.value import Value
from cluster.compose.tree.nodes import Mapping, Path, Scalar, Sequence, dotted

EVERY_PROFILE = "*"

_CLEARS = ("command", "entrypoint")
_LIMITS: Path = ("deploy", "resources", "limits")
_TWICE: dict[str, Path] = {
    "scale": ("deploy", "replicas"),
    "mem_limit": (*_LIMITS, "memory"),
    "cpus": (*_LIMITS, "cpus"),
    "pids_limit": (*_LIMITS, "pids"),
    "mem_reservation": ("deploy", "resources", "reservations", "memory"),
}


def is_active(value: Value, scope: Scope) -> bool:
    """Whether a service belongs to the stack: it has no profiles, or one of them is switched on."""
    entry = value.node.entries.get("profiles") if isinstance(value.node, Mapping) else None
    if entry is None or not isinstance(entry.value, Sequence):
        return True
    profiles = {item.text for item in entry.value.items if isinstance(item, Scalar)}
    scope.named_profiles.update(profiles)
    return not profiles or EVERY_PROFILE in scope.profiles or not profiles.isdisjoint(scope.profiles)


def service(name: str, value: Value, scope: Scope) -> dict[str, Any]:
    """The service in its canonical form."""
    if not value.is_map:
        raise value.refuse(f"must be a map, not {value.kind}", f'write "{name}:" and under it "image: …"', "type")
    keys = read(value, service_table(scope))
    for short, path in _TWICE.items():
        _agree(value, keys, short, path, scope)
    if not any(key in keys for key in ("image", "build", "provider")) and not value.report.errors:
        raise value.refuse("has neither image nor build", 'add "image: NAME"', "no-image")
    _warn_of_pace(value, keys)
    keys["environment"] = environment(keys.get("environment", {}), keys.pop("env_file", []), value, scope)
    keys["labels"] = labels(keys.get("labels", {}), keys.pop("label_file", []), scope)
    keys["depends_on"] = dict(sorted({**implied(keys), **keys.get("depends_on", {})}.items()))
    if not any(keys.get(key) for key in ("networks", "network_mode", "provider")):
        keys["networks"] = {DEFAULT: None}
    return {"command": None, "entrypoint": None, **filled(keys, *_CLEARS)}


def _agree(value: Value, keys: dict[str, Any], short: str, path: Path, scope: Scope) -> None:
    """Two keys that mean the same must say the same: `short`, and the one at `path`."""
    if short not in keys:
        return
    long: Any = keys
    for step in path:
        long = long.get(step) if isinstance(long, dict) else None
    if long not in (None, keys[short]):
        raise value.refuse(f"{short} and {dotted(path)} differ", "remove one of the two", "conflict")
    scope.origins[(*value.path, *path)] = value.entries()[short].place


def _warn_of_pace(value: Value, keys: dict[str, Any]) -> None:
    deployed = keys.get("deploy", {})
    if "restart" in keys and "restart_policy" in deployed:
        value.warn("restart has no effect beside deploy.restart_policy", "remove one of the two", "ignored")
    starts_first = deployed.get("update_config", {}).get("order") == "start-first"
    if starts_first and any("published" in port for port in keys.get("ports", [])):
        value.warn(
            "publishes a fixed port, so an update stops the old task first in spite of start-first", code="ignored"
        )
