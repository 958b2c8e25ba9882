"""One service of the file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from cluster.compose.environment import environment
from cluster.compose.keys import read
from cluster.compose.networks import DEFAULT
from cluster.compose.scope import Scope
from cluster.compose.service_keys import service_keys
from cluster.compose.value import Value
from cluster.spec import Attachment, Resources, RestartPolicy, ServiceSpec, UpdatePolicy


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
    published = keys.get("ports", ())
    spec = ServiceSpec(
        name=name,
        image=_image(name, value, keys, scope),
        environment=environment(keys.pop("environment", {}), keys.pop("env_file", []), scope),
        mounts=keys.pop("volumes", ()),
        networks=keys.pop("networks", () if "network_mode" in keys else (Attachment(DEFAULT),)),
        replicas=_agreed(value, "scale", keys.pop("scale", None), "deploy.replicas", deployed.get("replicas"), 1),
        resources=_resources(value, keys, deployed.get("limits", Resources())),
        restart=policy or RestartPolicy(),
        update=_update(value, deployed.get("update_config", UpdatePolicy()), any(port.published for port in published)),
        deploy_labels=deployed.get("labels", {}),
        **keys,
    )
    return ReadService(spec, active, policy is not None)


def _image(name: str, value: Value, keys: dict[str, Any], scope: Scope) -> str:
    image: str = keys.pop("image", "")
    if image:
        return image
    if "build" not in keys:
        raise value.refuse("has neither image nor build", 'add "image: NAME"', "no-image")
    return f"{scope.stack}-{name}:latest"


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


def _resources(value: Value, keys: dict[str, Any], limits: Resources) -> Resources:
    return Resources(
        cpus=_agreed(value, "cpus", keys.pop("cpus", None), "deploy.resources.limits.cpus", limits.cpus, None),
        memory=_agreed(
            value, "mem_limit", keys.pop("mem_limit", None), "deploy.resources.limits.memory", limits.memory, None
        ),
        pids=_agreed(
            value, "pids_limit", keys.pop("pids_limit", None), "deploy.resources.limits.pids", limits.pids, None
        ),
    )


def _agreed(value: Value, short: str, first: Any, long: str, second: Any, otherwise: Any) -> Any:
    """The one value of two keys that mean the same."""
    if first is not None and second is not None and first != second:
        raise value.refuse(f"{short} and {long} differ", "remove one of the two", "conflict")
    return first if first is not None else second if second is not None else otherwise
