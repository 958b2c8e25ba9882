"""The canonical form of a stack, as the spec that the cluster is asked for.

What a spec has no field for is left out: the loader has named it by then, and no deploy goes on.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any, get_args

from cluster.compose.canonical.quantities import nanoseconds
from cluster.compose.gates import OFF
from cluster.compose.host import privileges, tuning
from cluster.configs import ConfigFile, ConfigSpec, encoded
from cluster.constraints import NoConstraint, parse
from cluster.privileges import capability
from cluster.spec import (
    Attachment,
    Build,
    Dependency,
    Healthcheck,
    Logging,
    Mount,
    MountType,
    NetworkSpec,
    Placement,
    Port,
    Resources,
    RestartCondition,
    RestartPolicy,
    ServiceSpec,
    StackSpec,
    UpdatePolicy,
    VolumeSpec,
)

Keys = Mapping[str, Any]

_COMPLETED = "service_completed_successfully"
# Keys whose value a spec holds as the canonical form has it.
_SAME = (
    "annotations", "container_name", "domainname", "hostname", "init", "labels", "mac_address", "platform",
    "privileged", "read_only", "stdin_open", "stop_signal", "tty", "user", "working_dir",
)  # fmt: skip
_CONDITIONS: dict[str | None, RestartCondition] = {"always": "any", "unless-stopped": "any", "no": "none"}
_PULLED_WHEN_MISSING = ("build", "refresh", "daily", "weekly")


def stack_spec(document: Keys, contents: Mapping[str, bytes]) -> StackSpec:
    """The spec of a canonical document; `contents` are those of its configs, by their keys."""
    services = document.get("services", {})
    awaited = {
        name
        for one in services.values()
        for name, gate in one.get("depends_on", {}).items()
        if gate["condition"] == _COMPLETED
    }
    return StackSpec(
        name=document["name"],
        services={name: _service(name, keys, document["name"], name in awaited) for name, keys in services.items()},
        networks={key: _network(keys) for key, keys in document.get("networks", {}).items()},
        volumes={key: _volume(keys) for key, keys in document.get("volumes", {}).items()},
        configs={key: _config(keys, contents.get(key, b"")) for key, keys in document.get("configs", {}).items()},
    )


def _service(name: str, keys: Keys, stack: str, awaited: bool) -> ServiceSpec:
    deploy = keys.get("deploy", {})
    resources = deploy.get("resources", {})
    limits, reserved = resources.get("limits", {}), resources.get("reservations", {})
    ports = tuple(_port(port) for port in keys.get("ports", ()))
    return ServiceSpec(
        name=name,
        image=keys.get("image", f"{stack}-{name}:latest"),
        build=_build(keys["build"]) if "build" in keys else None,
        pull_policy=_pull_policy(keys.get("pull_policy", "missing")),
        command=_words(keys["command"]),
        entrypoint=_words(keys["entrypoint"]),
        environment={key: text for key, text in keys.get("environment", {}).items() if text is not None},
        deploy_labels=deploy.get("labels", {}),
        mode=deploy.get("mode", "replicated"),
        ports=ports,
        expose=tuple(dict.fromkeys(port if "/" in port else f"{port}/tcp" for port in keys.get("expose", ()))),
        mounts=tuple(_mount(mount) for mount in keys.get("volumes", ()) if _is_here(mount)),
        networks=tuple(_attachment(key, place or {}) for key, place in keys.get("networks", {}).items()),
        network_mode=keys.get("network_mode", ""),
        healthcheck=_healthcheck(keys["healthcheck"]) if "healthcheck" in keys else None,
        depends_on=tuple(_gate(name, gate) for name, gate in keys.get("depends_on", {}).items()),
        restart=_restart(keys, deploy, awaited),
        update=_update(deploy.get("update_config", {}), any(port.published for port in ports)),
        resources=_resources({
            "cpus": keys.get("cpus", limits.get("cpus")),
            "memory": keys.get("mem_limit", limits.get("memory")),
            "pids": keys.get("pids_limit", limits.get("pids")),
        }),
        reserved=_resources({"memory": keys.get("mem_reservation"), **reserved}),
        placement=_placement(deploy.get("placement", {})),
        logging=Logging(**keys.get("logging", {})),
        replicas=keys.get("scale", deploy.get("replicas", 1)),
        stop_grace_period=_seconds(keys.get("stop_grace_period", "10s")) or 0.0,
        cap_add=_capabilities(keys.get("cap_add", ())),
        cap_drop=_capabilities(keys.get("cap_drop", ())),
        extra_hosts=tuple(host.replace("=", ":", 1) for host in keys.get("extra_hosts", ())),
        tmpfs=tuple(keys.get("tmpfs", ())),
        configs=tuple(_config_file(one) for one in keys.get("configs", ())),
        tuning=tuning(keys),
        privileges=privileges(keys, reserved),
        group_add=tuple(keys.get("group_add", ())),
        dns=tuple(keys.get("dns", ())),
        dns_search=tuple(keys.get("dns_search", ())),
        dns_options=tuple(keys.get("dns_opt", ())),
        **{key: keys[key] for key in _SAME if key in keys},
    )  # fmt: skip


def _words(words: list[str] | None) -> tuple[str, ...] | None:
    return None if words is None else tuple(words)


def _capabilities(names: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(capability, names)))


def _pull_policy(policy: str) -> Any:
    return "missing" if policy in _PULLED_WHEN_MISSING or policy.startswith("every_") else policy


def _seconds(text: str | None) -> float | None:
    count = None if text is None else nanoseconds(text)
    return None if count is None else count / 1e9


def _build(keys: Keys) -> Build:
    known = ("context", "dockerfile", "args", "target", "labels", "network", "no_cache", "pull")
    return Build(**{key: keys[key] for key in known if key in keys})


def _port(keys: Keys) -> Port:
    first, _, last = keys.get("published", "").partition("-")
    return Port(
        target=keys["target"],
        published=int(first or 0) or None,
        published_last=int(last) if last else None,
        protocol=keys["protocol"],
        host_ip=keys.get("host_ip", ""),
        mode=keys["mode"],
    )


def _is_here(mount: Keys) -> bool:
    """Whether a machine here has such a mount: no other type, and no path of Windows."""
    source = mount.get("source", "") if mount["type"] == "bind" else "/"
    return mount["type"] in get_args(MountType) and mount["target"].startswith("/") and source.startswith("/")


def _mount(keys: Keys) -> Mount:
    bind, tmpfs = keys.get("bind", {}), keys.get("tmpfs", {})
    return Mount(
        type=keys["type"],
        target=keys["target"],
        source=posixpath.normpath(keys["source"]) if keys["type"] == "bind" else keys.get("source", ""),
        read_only=keys.get("read_only", False),
        create_host_path=bind.get("create_host_path", True),
        propagation=bind.get("propagation", ""),
        no_copy=keys.get("volume", {}).get("nocopy", False),
        selinux=bind.get("selinux", ""),
        subpath=keys.get("volume", {}).get("subpath", ""),
        tmpfs_size=int(tmpfs["size"]) if "size" in tmpfs else None,
        tmpfs_mode=tmpfs.get("mode"),
    )


def _attachment(key: str, place: Keys) -> Attachment:
    return Attachment(
        key,
        tuple(place.get("aliases", ())),
        place.get("ipv4_address", ""),
        place.get("mac_address", ""),
        tuple(place.get("link_local_ips", ())),
        place.get("driver_opts", {}),
        place.get("gw_priority", 0),
    )


def _healthcheck(keys: Keys) -> Healthcheck:
    if keys.get("disable"):
        return Healthcheck(OFF)
    times = {key: _seconds(keys.get(key)) for key in ("interval", "timeout", "start_period", "start_interval")}
    return Healthcheck(tuple(keys.get("test", ())), retries=keys.get("retries"), **times)


def _gate(name: str, gate: Keys) -> Dependency:
    return Dependency(name, gate["condition"], gate["required"], gate.get("restart", False))


def _restart(keys: Keys, deploy: Keys, awaited: bool) -> RestartPolicy:
    """When a task is tried again.

    A service that says nothing is restarted whenever it ends: this is a cluster, which keeps running what it was
    given, where Compose by itself does not. One that others wait for to complete is let complete, unless it objects.
    """
    if "restart_policy" in deploy:
        policy = deploy["restart_policy"]
        return RestartPolicy(
            _CONDITIONS.get(policy.get("condition"), policy.get("condition", "any")),
            _seconds(policy.get("delay")),
            policy.get("max_attempts") or None,
            _seconds(policy.get("window")),
        )
    short, _, times = keys.get("restart", "").partition(":")
    if short == "no":
        return RestartPolicy("none")
    if short == "on-failure" or (awaited and not short):
        return RestartPolicy("on-failure", max_attempts=int(times or 0) or None)
    return RestartPolicy()


def _update(keys: Keys, fixed_port: bool) -> UpdatePolicy:
    """A port of a machine has one holder: the new task could never start while the old one runs."""
    usual = UpdatePolicy()
    return UpdatePolicy(
        parallelism=keys.get("parallelism", usual.parallelism),
        delay=_seconds(keys.get("delay")) or usual.delay,
        order="stop-first" if fixed_port else keys.get("order", usual.order),
        failure_action=keys.get("failure_action", usual.failure_action),
        monitor=usual.monitor if "monitor" not in keys else _seconds(keys["monitor"]) or 0.0,
        max_failure_ratio=keys.get("max_failure_ratio", usual.max_failure_ratio),
    )


def _resources(keys: Keys) -> Resources:
    cpus, memory, pids = keys.get("cpus"), keys.get("memory"), keys.get("pids")
    return Resources(
        cpus=float(cpus) if cpus else None,
        memory=int(memory) or None if memory else None,
        pids=pids if pids and pids > 0 else None,
    )


def _placement(keys: Keys) -> Placement:
    preferences = keys.get("preferences", ())
    return Placement(
        constraints=tuple(_constraint(text) for text in keys.get("constraints", ())),
        spread=tuple(preference["spread"] for preference in preferences if "spread" in preference),
        max_replicas_per_node=keys.get("max_replicas_per_node", 0),
        binpack=any(preference.get("x-binpack") for preference in preferences),
    )


def _constraint(text: str) -> str:
    try:
        return str(parse(text))
    except NoConstraint:
        return text


def _network(keys: Keys) -> NetworkSpec:
    if keys.get("external"):
        return NetworkSpec(keys["name"], external=True)
    subnets = (part["subnet"] for part in keys.get("ipam", {}).get("config", ()) if "subnet" in part)
    return NetworkSpec(
        keys["name"],
        internal=keys.get("internal", False),
        subnet=next((subnet for subnet in subnets if ":" not in subnet), ""),
        labels=keys.get("labels", {}),
        options=keys.get("driver_opts", {}),
    )


def _config(keys: Keys, content: bytes) -> ConfigSpec:
    if keys.get("external"):
        return ConfigSpec(keys["name"], external=True)
    return ConfigSpec(keys["name"], content=encoded(content), labels=keys.get("labels", {}))


def _config_file(keys: Keys) -> ConfigFile:
    """Where a service has a config: at the root, unless the file says otherwise."""
    target = posixpath.normpath(posixpath.join("/", keys.get("target", keys["source"])))
    mode = int(keys.get("mode", "0444"), 8)
    return ConfigFile(keys["source"], target, int(keys.get("uid", 0)), int(keys.get("gid", 0)), mode)


def _volume(keys: Keys) -> VolumeSpec:
    return VolumeSpec(
        keys["name"],
        external=keys.get("external", False),
        driver=keys.get("driver", ""),
        options=keys.get("driver_opts", {}),
        labels=keys.get("labels", {}),
    )
