"""Containers in Docker's own JSON: what `ContainerSpec` asks for, what `/containers/{id}/json` and events tell."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from cluster.container import ContainerSpec, Endpoint, PortBinding
from cluster.spec import Healthcheck, Logging, Mount
from engine.docker_host import privileges_body, tuning_body
from engine.port import BoundPort, ContainerInfo, EngineEvent, Health

JSON = dict[str, Any]

# The first API that attaches a container to several networks when it is created, and that knows `start_interval`.
MANY_NETWORKS_API = (1, 44)

ACTIONS = ("create", "start", "die", "oom", "health_status", "destroy", "pause", "unpause")

# The engine writes a container's log without bound unless it is told otherwise.
ROTATION = {"max-size": "10m", "max-file": "3"}

_EVENT_OWN = frozenset({"image", "name", "exitCode", "signal", "execDuration"})


def create_body(spec: ContainerSpec, *, api: tuple[int, int], default_log_driver: str) -> JSON:
    """The body of `/containers/create`. Below API 1.44 only the first endpoint is in it: connect the others after."""
    several = api >= MANY_NETWORKS_API
    endpoints = spec.endpoints if several else spec.endpoints[:1]
    body: JSON = {
        "Image": spec.image,
        "Labels": dict(spec.labels),
        "Env": [f"{name}={value}" for name, value in spec.environment.items()],
        "User": spec.user,
        "WorkingDir": spec.working_dir,
        "Hostname": spec.hostname,
        "Tty": spec.tty,
        "OpenStdin": spec.stdin_open,
        "ExposedPorts": {port: {} for port in _exposed(spec)},
        "StopTimeout": math.ceil(spec.stop_grace_period),
        "HostConfig": _host_config(spec, default_log_driver),
        "NetworkingConfig": {"EndpointsConfig": {end.network: endpoint_body(end) for end in endpoints}},
    }
    if spec.command is not None:
        body["Cmd"] = list(spec.command)
    if spec.entrypoint is not None:
        body["Entrypoint"] = list(spec.entrypoint)
    if spec.stop_signal:
        body["StopSignal"] = spec.stop_signal
    if spec.domainname:
        body["Domainname"] = spec.domainname
    if spec.mac_address:
        body["MacAddress"] = spec.mac_address
    if spec.healthcheck is not None:
        body["Healthcheck"] = _healthcheck(spec.healthcheck, start_interval=several)
    return body


def endpoint_body(endpoint: Endpoint) -> JSON:
    """One network's `EndpointsConfig`, without any alias."""
    addresses = {"IPv4Address": endpoint.ipv4_address, "LinkLocalIPs": list(endpoint.link_local_ips)}
    given = {
        "IPAMConfig": {name: value for name, value in addresses.items() if value},
        "MacAddress": endpoint.mac_address,
        "DriverOpts": dict(endpoint.driver_opts),
        "GwPriority": endpoint.gateway_priority,
    }
    return {name: value for name, value in given.items() if value}


def _host_config(spec: ContainerSpec, default_log_driver: str) -> JSON:
    config: JSON = {
        # gbnt restarts; two that do would fight.
        "RestartPolicy": {"Name": "no"},
        "NetworkMode": spec.endpoints[0].network if spec.endpoints else spec.network_mode,
        "PortBindings": _port_bindings(spec.ports),
        "Binds": [_bind(mount) for mount in spec.mounts if _as_bind(mount)],
        "Mounts": [_mount(mount) for mount in spec.mounts if not _as_bind(mount)],
        "Tmpfs": {target: options for target, _, options in (entry.partition(":") for entry in spec.tmpfs)},
        "Dns": list(spec.dns),
        "DnsSearch": list(spec.dns_search),
        "DnsOptions": list(spec.dns_options),
        "ExtraHosts": list(spec.extra_hosts),
        "CapAdd": list(spec.cap_add),
        "CapDrop": list(spec.cap_drop),
        "Privileged": spec.privileged,
        "ReadonlyRootfs": spec.read_only,
        "LogConfig": _log_config(spec.logging, default_log_driver),
        **tuning_body(spec.tuning),
        **privileges_body(spec.privileges),
    }
    if spec.group_add:
        config["GroupAdd"] = list(spec.group_add)
    if spec.annotations:
        config["Annotations"] = dict(spec.annotations)
    if spec.init is not None:
        config["Init"] = spec.init
    if spec.resources.cpus is not None:
        config["NanoCpus"] = round(spec.resources.cpus * 1e9)
    if spec.resources.memory is not None:
        config["Memory"] = spec.resources.memory
    if spec.resources.pids is not None:
        config["PidsLimit"] = spec.resources.pids
    return config


def _log_config(logging: Logging, default_driver: str) -> JSON:
    if logging.driver:
        return {"Type": logging.driver, "Config": dict(logging.options)}
    rotation = ROTATION if default_driver == "json-file" else {}
    return {"Type": default_driver, "Config": {**rotation, **logging.options}}


def _exposed(spec: ContainerSpec) -> list[str]:
    ports = [f"{port.target}/{port.protocol}" for port in spec.ports]
    for entry in spec.expose:
        numbers, _, protocol = entry.partition("/")
        first, _, last = numbers.partition("-")
        ports += [f"{number}/{protocol or 'tcp'}" for number in range(int(first), int(last or first) + 1)]
    return ports


def _port_bindings(ports: Sequence[PortBinding]) -> JSON:
    bindings: dict[str, list[JSON]] = {}
    for port in ports:
        wanted = str(port.host_port) if port.host_port else ""
        if port.host_port_last > port.host_port:
            wanted = f"{port.host_port}-{port.host_port_last}"
        bindings.setdefault(f"{port.target}/{port.protocol}", []).append({"HostIp": port.host_ip, "HostPort": wanted})
    return bindings


def _as_bind(mount: Mount) -> bool:
    """Whether a mount has to be written in the old form, which alone makes host paths (before API 1.42) and labels."""
    return mount.type == "bind" and (mount.create_host_path or bool(mount.selinux)) and ":" not in mount.source


def _bind(mount: Mount) -> str:
    options = [mount.selinux, mount.propagation, "ro" if mount.read_only else "rw"]
    return f"{mount.source}:{mount.target}:{','.join(option for option in options if option)}"


def _mount(mount: Mount) -> JSON:
    body: JSON = {"Type": mount.type, "Target": mount.target, "ReadOnly": mount.read_only}
    if mount.source:
        body["Source"] = mount.source
    if mount.type == "bind" and mount.propagation:
        body["BindOptions"] = {"Propagation": mount.propagation}
    if mount.type == "volume" and (mount.no_copy or mount.subpath):
        given = {"NoCopy": mount.no_copy, "Subpath": mount.subpath}
        body["VolumeOptions"] = {name: value for name, value in given.items() if value}
    if mount.type == "tmpfs":
        sizes = {"SizeBytes": mount.tmpfs_size, "Mode": mount.tmpfs_mode}
        body["TmpfsOptions"] = {name: value for name, value in sizes.items() if value is not None}
    return body


def _healthcheck(check: Healthcheck, *, start_interval: bool) -> JSON:
    times = {"Interval": check.interval, "Timeout": check.timeout, "StartPeriod": check.start_period}
    if start_interval:
        times["StartInterval"] = check.start_interval
    body: JSON = {name: round(seconds * 1e9) for name, seconds in times.items() if seconds is not None}
    if check.test:
        body["Test"] = list(check.test)
    if check.retries is not None:
        body["Retries"] = check.retries
    return body


# -- and back -------------------------------------------------------------------------------------------------------


def container_info(found: JSON) -> ContainerInfo:
    """The container that `/containers/{id}/json` describes."""
    state, settings = found["State"], found["NetworkSettings"]
    health = state.get("Health") or {}
    log = health.get("Log") or []
    ended = state["Status"] in ("exited", "dead")
    started_at, finished_at = seconds(state["StartedAt"]), seconds(state["FinishedAt"])
    if ended and finished_at:
        # The engine notes a start once it is done with it; a program that ends at once may have ended before that.
        finished_at = max(started_at, finished_at)
    return ContainerInfo(
        id=found["Id"],
        name=found["Name"].removeprefix("/"),
        image=found["Config"]["Image"],
        labels=found["Config"]["Labels"] or {},
        state=state["Status"],
        health=_health(health.get("Status", "")),
        health_log=log[-1]["Output"].strip() if log else "",
        exit_code=state["ExitCode"] if ended else None,
        oom_killed=state["OOMKilled"],
        error=state["Error"],
        created_at=seconds(found["Created"]),
        started_at=started_at,
        finished_at=finished_at,
        addresses=_addresses(settings.get("Networks") or {}),
        ports=tuple(_bound_ports(settings.get("Ports") or {})),
        mounts={mount["Destination"]: mount["Source"] for mount in found["Mounts"] if mount.get("Source")},
    )


def _health(status: str) -> Health:
    match status:
        case "starting" | "healthy" | "unhealthy":
            return status
        case _:
            return ""


def _addresses(networks: Mapping[str, JSON]) -> dict[str, str]:
    given = {
        name: end["IPAddress"] or (end.get("IPAMConfig") or {}).get("IPv4Address", "") for name, end in networks.items()
    }
    return {name: address for name, address in given.items() if address}


def _bound_ports(ports: Mapping[str, list[JSON] | None]) -> list[BoundPort]:
    bound = []
    for key, bindings in ports.items():
        target, _, protocol = key.partition("/")
        bound += [
            BoundPort(int(target), protocol, binding["HostIp"], int(binding["HostPort"])) for binding in bindings or []
        ]
    return bound


def engine_event(told: JSON) -> EngineEvent:
    """One message of `/events` about a container."""
    action, _, detail = told["Action"].partition(": ")
    attributes: dict[str, str] = told["Actor"].get("Attributes") or {}
    code = attributes.get("exitCode") if action == "die" else None
    return EngineEvent(
        action="health" if action == "health_status" else action,
        container=told["Actor"]["ID"],
        labels={name: text for name, text in attributes.items() if name not in _EVENT_OWN},
        at=told["timeNano"] / 1e9,
        exit_code=int(code) if code else None,
        health=_health(detail) if action == "health_status" else "",
    )


def seconds(stamp: str) -> float:
    """Seconds since the epoch of Docker's RFC 3339 time; 0 for its zero time, the year 1."""
    return 0.0 if stamp.startswith("0001-") else datetime.fromisoformat(stamp).timestamp()
