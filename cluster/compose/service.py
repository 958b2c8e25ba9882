"""One service of the file."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from cluster.compose import deploy
from cluster.compose.build import build
from cluster.compose.commands import command
from cluster.compose.environment import env_files, environment, pairs, texts
from cluster.compose.findings import quote
from cluster.compose.healthcheck import healthcheck
from cluster.compose.keys import Fact, Table, Unread, later, read
from cluster.compose.mounts import mounts, tmpfs
from cluster.compose.networks import DEFAULT, attachments
from cluster.compose.ports import expose, ports
from cluster.compose.quantities import duration
from cluster.compose.scope import Scope
from cluster.compose.value import Value
from cluster.spec import (
    Attachment,
    Dependency,
    Logging,
    PullPolicy,
    Resources,
    RestartPolicy,
    ServiceSpec,
    UpdatePolicy,
)

_CONDITIONS = ("service_started", "service_healthy", "service_completed_successfully")
_NETWORK_MODES = ("host", "none", "bridge")
_PULL_POLICIES: dict[str, PullPolicy] = {
    "missing": "missing", "if_not_present": "missing", "build": "missing", "always": "always", "never": "never"
}  # fmt: skip


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
    keys = read(value, _table(scope))
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


def _network_mode(value: Value) -> str:
    mode = value.string()
    if mode.startswith(("service:", "container:")):
        hint = "give both services a network, and use the service's name"
        raise value.refuse(f"{quote(mode)} is not supported: it ties two containers together", hint, "unsupported")
    return value.word(_NETWORK_MODES)


def _pull_policy(value: Value) -> PullPolicy:
    policy = value.string()
    if policy in ("daily", "weekly") or policy.startswith("every_"):
        value.warn(f'{quote(policy)} is not supported yet: the policy is "missing"', code="unsupported")
        return "missing"
    return _PULL_POLICIES[value.word(_PULL_POLICIES)]


def _depends_on(value: Value) -> tuple[Dependency, ...]:
    if value.is_list:
        return tuple(Dependency(name) for name in sorted(set(value.each(Value.string))))
    found = (child.attempt(partial(_dependency, name)) for name, child in sorted(value.entries().items()))
    return tuple(dependency for dependency in found if dependency is not None)


def _dependency(name: str, value: Value) -> Dependency:
    return Dependency(name, **read(value, _DEPENDENCY))


def _extra_hosts(value: Value) -> tuple[str, ...]:
    """`host:address` or `host=address`, or a map of hosts to one address or a list of them; as `host:address`."""
    if value.is_list:
        return tuple(value.each(_extra_host))
    hosts: list[str] = []
    for name, child in value.entries().items():
        addresses = child.items() if child.is_list else [child]
        hosts.extend(f"{name}:{_host_address(address, address.string())}" for address in addresses)
    return tuple(hosts)


def _extra_host(item: Value) -> str:
    text = item.string()
    name, separator, address = text.partition("=" if "=" in text else ":")
    if not name or not separator:
        raise item.refuse(f"{quote(text)} is no host and address", 'write it as in "db.example:10.1.0.5"')
    return f"{name}:{_host_address(item, address)}"


def _host_address(item: Value, text: str) -> str:
    bare = text.removeprefix("[").removesuffix("]")
    if bare == "host-gateway":
        return bare
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        raise item.refuse(f"{quote(text)} is no IP address", 'write it as in "10.1.0.5"') from None


def _capabilities(value: Value) -> tuple[str, ...]:
    """Capabilities in upper case and without their prefix, so that two ways to write one are equal."""
    return tuple(dict.fromkeys(text.upper().removeprefix("CAP_") for text in value.each(Value.string)))


def _stop_signal(value: Value) -> str:
    text = value.rendered()
    if not text.replace("+", "").replace("-", "").isalnum() or not text.isascii():
        raise value.refuse(f"{quote(text)} is no signal", "write it as in SIGTERM")
    return text


def _logging(value: Value) -> Logging:
    return Logging(**read(value, {"driver": Value.string, "options": texts}))


def _within(reader: Callable[[Value, Scope], Any], scope: Scope) -> Callable[[Value], Any]:
    return lambda value: reader(value, scope)


_DEPENDENCY: Table = {
    "condition": lambda value: value.word(_CONDITIONS),
    "required": Value.boolean,
    "restart": Value.boolean,
}

_LATER = ["annotations", "blkio_config", "cgroup", "cgroup_parent", "configs", "cpu_count", "cpu_percent", "cpu_period", "cpu_quota", "cpu_rt_period", "cpu_rt_runtime", "cpu_shares", "cpuset", "credential_spec", "device_cgroup_rules", "devices", "dns", "dns_opt", "dns_search", "domainname", "external_links", "gpus", "group_add", "ipc", "isolation", "label_file", "mac_address", "mem_reservation", "mem_swappiness", "memswap_limit", "models", "oom_kill_disable", "oom_score_adj", "pid", "platform", "post_start", "pre_start", "pre_stop", "pull_refresh_after", "runtime", "secrets", "security_opt", "shm_size", "storage_opt", "sysctls", "ulimits", "use_api_socket", "userns_mode", "uts"]

_FIXED: Table = {
    "attach": Unread.IGNORED,
    "cap_add": _capabilities,
    "cap_drop": _capabilities,
    "command": command,
    "container_name": Value.string,
    "cpus": deploy.cpus,
    "depends_on": _depends_on,
    "deploy": deploy.deploy,
    "develop": Unread.IGNORED,
    "entrypoint": command,
    "env_file": env_files,
    "environment": pairs,
    "expose": expose,
    "extends": Fact(Unread.REFUSED, "copy the keys, or share them by a YAML anchor and <<"),
    "extra_hosts": _extra_hosts,
    "healthcheck": healthcheck,
    "hostname": Value.string,
    "image": Value.string,
    "init": Value.boolean,
    "labels": texts,
    "links": Fact(Unread.IGNORED, "services find each other by name on their networks"),
    "logging": _logging,
    "mem_limit": deploy.memory,
    "network_mode": _network_mode,
    "networks": attachments,
    "pids_limit": deploy.pids,
    "privileged": Value.boolean,
    "profiles": Value.texts,
    "provider": Unread.REFUSED,
    "pull_policy": _pull_policy,
    "read_only": Value.boolean,
    "restart": deploy.restart,
    "scale": deploy.replicas,
    "stdin_open": Value.boolean,
    "stop_grace_period": duration,
    "stop_signal": _stop_signal,
    "tmpfs": tmpfs,
    "tty": Value.boolean,
    "user": Value.string,
    "volumes_from": Fact(Unread.REFUSED, "name a volume, and mount it in both services"),
    "working_dir": Value.string,
    **later(*_LATER),
}


def _table(scope: Scope) -> Table:
    return {
        **_FIXED,
        "build": _within(build, scope),
        "ports": _within(ports, scope),
        "volumes": _within(mounts, scope),
    }
