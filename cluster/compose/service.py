"""One service of the file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from cluster.compose.environment import environment
from cluster.compose.keys import read
from cluster.compose.networks import DEFAULT
from cluster.compose.scope import Scope
from cluster.compose.service_keys import service_keys
from cluster.compose.tree import Path, dotted
from cluster.compose.value import Value
from cluster.spec import Attachment, Placement, Resources, RestartPolicy, ServiceSpec, UpdatePolicy


@dataclass(frozen=True, slots=True)
class ReadService:
    """A service, and what of it only the whole stack can settle."""

    spec: ServiceSpec
    active: bool
    restart_given: bool


def service(name: str, value: Value, scope: Scope) -> ReadService:
    """The service that `value` describes.

    A service that says nothing about restarts is restarted whenever it ends: this is a cluster, which keeps running
    what it was given, where Compose by itself does not. `restart: "no"` asks for Compose's way.
    """
    if not value.is_map:
        raise value.refuse(f"must be a map, not {value.kind}", f'write "{name}:" and under it "image: …"', "type")
    keys = read(value, service_keys(scope))
    deployed: dict[str, Any] = keys.pop("deploy", {})
    active = not keys.pop("profiles", ())
    if not active:
        value.warn("profiles are not supported yet: the service is left out", code="unsupported")
    policy = _restart(value, keys.pop("restart", None), deployed.get("restart_policy"))
    replicas = _agreed(value, keys, "scale", deployed.get("replicas"), ("deploy", "replicas"), scope)
    published = keys.get("ports", ())
    spec = ServiceSpec(
        name=name,
        image=_image(name, value, keys, scope),
        environment=environment(keys.pop("environment", {}), keys.pop("env_file", []), scope),
        mounts=keys.pop("volumes", ()),
        networks=keys.pop("networks", () if "network_mode" in keys else (Attachment(DEFAULT),)),
        replicas=1 if replicas is None else replicas,
        resources=_resources(value, keys, deployed.get("limits", Resources()), scope),
        restart=policy or RestartPolicy(),
        update=_update(value, deployed.get("update_config", UpdatePolicy()), any(port.published for port in published)),
        reserved=deployed.get("reservations", Resources()),
        placement=deployed.get("placement", Placement()),
        deploy_labels=deployed.get("labels", {}),
        **keys,
    )
    return ReadService(spec, active, policy is not None)


def _image(name: str, value: Value, keys: dict[str, Any], scope: Scope) -> str:
    given = value.entries()
    if all(key not in given or given[key].is_null for key in ("image", "build")):
        raise value.refuse("has neither image nor build", 'add "image: NAME"', "no-image")
    return str(keys.pop("image", f"{scope.stack}-{name}:latest"))


def _restart(value: Value, short: RestartPolicy | None, policy: RestartPolicy | None) -> RestartPolicy | None:
    if short and policy:
        value.warn("restart has no effect beside deploy.restart_policy", "remove one of the two", "ignored")
    return policy or short


def _update(value: Value, update: UpdatePolicy, fixed_port: bool) -> UpdatePolicy:
    """A port of a machine has one holder: the new task could never start while the old one runs."""
    if update.order == "stop-first" or not fixed_port:
        return update
    value.warn("publishes a fixed port, so an update stops the old task first in spite of start-first", code="ignored")
    return replace(update, order="stop-first")


def _resources(value: Value, keys: dict[str, Any], limits: Resources, scope: Scope) -> Resources:
    return Resources(
        cpus=_agreed(value, keys, "cpus", limits.cpus, ("deploy", "resources", "limits", "cpus"), scope),
        memory=_agreed(value, keys, "mem_limit", limits.memory, ("deploy", "resources", "limits", "memory"), scope),
        pids=_agreed(value, keys, "pids_limit", limits.pids, ("deploy", "resources", "limits", "pids"), scope),
    )


def _agreed(value: Value, keys: dict[str, Any], short: str, long: Any, path: Path, scope: Scope) -> Any:
    """The one value of two keys that mean the same: `short`, and the one at `path` whose value is `long`."""
    first = keys.pop(short, None)
    if first is None:
        return long
    if long not in (None, first):
        raise value.refuse(f"{short} and {dotted(path)} differ", "remove one of the two", "conflict")
    scope.origins[(*value.path, *path)] = value.entries()[short].place
    return first
