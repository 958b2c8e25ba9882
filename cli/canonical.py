"""A spec written out as a compose file again: every short form in full, every variable filled in.

What comes out means the same as what was read: loaded again, it gives an equal spec. Only what differs from a default
is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cluster.spec import (
    Build,
    Healthcheck,
    Logging,
    Mount,
    NetworkSpec,
    Placement,
    Port,
    Resources,
    RestartPolicy,
    ServiceSpec,
    StackSpec,
    UpdatePolicy,
    VolumeSpec,
)

Document = dict[str, Any]

# Fields of a service whose value is written under their own name, as it is.
SAME = (
    "image",
    "command",
    "entrypoint",
    "environment",
    "labels",
    "expose",
    "network_mode",
    "container_name",
    "user",
    "working_dir",
    "hostname",
    "init",
    "tty",
    "stdin_open",
    "read_only",
    "privileged",
    "stop_signal",
    "cap_add",
    "cap_drop",
    "extra_hosts",
    "tmpfs",
)


def canonical(spec: StackSpec) -> Document:
    """The stack as a mapping that is a compose file once it is written as YAML or JSON."""
    document = _given(
        name=spec.name,
        services={key: _service(service) for key, service in spec.services.items()},
        networks={key: _network(network) for key, network in spec.networks.items()},
        volumes={key: _volume(volume) for key, volume in spec.volumes.items()},
    )
    escaped: Document = _escaped(document)
    return escaped


def _service(service: ServiceSpec) -> Document:
    usual = ServiceSpec(service.name, "")
    written = {name: _plain(getattr(service, name)) for name in SAME if getattr(service, name) != getattr(usual, name)}
    return written | _given(
        build=_build(service.build) if service.build else None,
        pull_policy=service.pull_policy if service.pull_policy != usual.pull_policy else None,
        ports=[_port(port) for port in service.ports],
        volumes=[_mount(mount) for mount in service.mounts],
        networks=_attachments(service),
        healthcheck=_healthcheck(service.healthcheck) if service.healthcheck else None,
        depends_on={gate.service: _gate(gate.condition, gate.required, gate.restart) for gate in service.depends_on},
        logging=_logging(service.logging),
        stop_grace_period=_seconds(service.stop_grace_period) if service.stop_grace_period != 10.0 else None,
        deploy=_deploy(service),
    )


def _deploy(service: ServiceSpec) -> Document:
    limits, reserved = _limits(service.resources), _limits(service.reserved)
    return _given(
        replicas=service.replicas if service.replicas != 1 else None,
        labels=dict(service.deploy_labels),
        restart_policy=_restart(service.restart) if service.restart != RestartPolicy() else None,
        update_config=_update(service.update) if service.update != UpdatePolicy() else None,
        resources=_given(limits=limits, reservations=reserved),
        placement=_placement(service.placement),
    )


def _placement(placement: Placement) -> Document:
    return _given(
        constraints=list(placement.constraints),
        preferences=[{"spread": key} for key in placement.spread],
        max_replicas_per_node=placement.max_replicas_per_node or None,
    )


def _limits(resources: Resources) -> Document:
    return _given(cpus=resources.cpus, memory=resources.memory, pids=resources.pids)


def _restart(policy: RestartPolicy) -> Document:
    return _given(
        condition=policy.condition,
        delay=_seconds(policy.delay),
        max_attempts=policy.max_attempts,
        window=_seconds(policy.window),
    )


def _update(policy: UpdatePolicy) -> Document:
    return {
        "parallelism": policy.parallelism,
        "delay": _seconds(policy.delay),
        "order": policy.order,
        "failure_action": policy.failure_action,
        "monitor": _seconds(policy.monitor),
        "max_failure_ratio": policy.max_failure_ratio,
    }


def _build(build: Build) -> Document:
    return _given(
        context=build.context,
        dockerfile=build.dockerfile if build.dockerfile != "Dockerfile" else None,
        args=dict(build.args),
        target=build.target,
        labels=dict(build.labels),
        network=build.network,
        no_cache=build.no_cache or None,
        pull=build.pull or None,
    )


def _port(port: Port) -> Document:
    published = str(port.published) if port.published else None
    if port.published_last:
        published = f"{published}-{port.published_last}"
    return _given(
        target=port.target,
        published=published,
        protocol=port.protocol,
        host_ip=port.host_ip,
        mode=port.mode,
    )


def _mount(mount: Mount) -> Document:
    return _given(
        type=mount.type,
        source=mount.source,
        target=mount.target,
        read_only=mount.read_only or None,
        bind=_bind(mount),
        volume={"nocopy": True} if mount.no_copy else None,
        tmpfs=_given(size=mount.tmpfs_size, mode=mount.tmpfs_mode),
    )


def _bind(mount: Mount) -> Document:
    return _given(
        propagation=mount.propagation,
        create_host_path=None if mount.create_host_path else False,
        selinux=mount.selinux,
    )


def _attachments(service: ServiceSpec) -> Document:
    return {
        item.network: _given(aliases=list(item.aliases), ipv4_address=item.ipv4_address) for item in service.networks
    }


def _healthcheck(check: Healthcheck) -> Document:
    return _given(
        test=list(check.test),
        interval=_seconds(check.interval),
        timeout=_seconds(check.timeout),
        retries=check.retries,
        start_period=_seconds(check.start_period),
        start_interval=_seconds(check.start_interval),
    )


def _gate(condition: str, required: bool, restart: bool) -> Document:
    return _given(condition=condition, required=None if required else False, restart=restart or None)


def _logging(logging: Logging) -> Document:
    return _given(driver=logging.driver, options=dict(logging.options))


def _network(network: NetworkSpec) -> Document:
    return _given(
        name=network.name,
        external=network.external or None,
        internal=network.internal or None,
        ipam={"config": [{"subnet": network.subnet}]} if network.subnet else None,
        labels=dict(network.labels),
        driver_opts=dict(network.options),
    )


def _volume(volume: VolumeSpec) -> Document:
    return _given(
        name=volume.name,
        external=volume.external or None,
        driver=volume.driver,
        driver_opts=dict(volume.options),
        labels=dict(volume.labels),
    )


def _seconds(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds:.9f}".rstrip("0").rstrip(".") + "s"


def _given(**values: object) -> Document:
    """The entries that say something."""
    return {key: value for key, value in values.items() if value is not None and value not in ("", [], {})}


def _plain(value: object) -> object:
    """A field's value as YAML knows it."""
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value


def _escaped(value: object) -> Any:
    """A dollar in a value is written twice, or reading the file again would take it for a variable."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    return value
