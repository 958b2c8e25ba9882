"""What a person asked for, in one canonical form.

The compose loader turns every short form into these values; the API takes them as JSON. They are frozen, hold no
unions of shapes, and two files that mean the same give equal specs, so that a spec's hash tells whether anything
has to change. Durations are seconds, sizes are bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass, replace
from typing import Any, Literal

import orjson

from cluster.configs import ConfigFile, ConfigSpec
from cluster.privileges import Privileges
from cluster.tuning import Tuning

Protocol = Literal["tcp", "udp", "sctp"]
Condition = Literal["service_started", "service_healthy", "service_completed_successfully"]
RestartCondition = Literal["any", "on-failure", "none"]
PullPolicy = Literal["missing", "always", "never"]
UpdateOrder = Literal["stop-first", "start-first"]
MountType = Literal["volume", "bind", "tmpfs"]
FailureAction = Literal["pause", "continue", "rollback"]
Mode = Literal["replicated", "global"]


@dataclass(frozen=True, slots=True)
class Port:
    """One published port. `published` None lets the engine choose; first < last lets each task take one of a range."""

    target: int
    published: int | None = None
    published_last: int | None = None
    protocol: Protocol = "tcp"
    host_ip: str = ""
    mode: Literal["ingress", "host"] = "ingress"


@dataclass(frozen=True, slots=True)
class Mount:
    """A volume, a bind of a host path, or a tmpfs. `source` is the key of a volume, an absolute path, or empty."""

    type: MountType
    target: str
    source: str = ""
    read_only: bool = False
    create_host_path: bool = True
    propagation: str = ""
    no_copy: bool = False
    selinux: Literal["", "z", "Z"] = ""
    subpath: str = ""
    tmpfs_size: int | None = None
    tmpfs_mode: int | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A service on a network of its stack; `network` is the network's key in the file."""

    network: str
    aliases: tuple[str, ...] = ()
    ipv4_address: str = ""
    mac_address: str = ""
    link_local_ips: tuple[str, ...] = ()
    driver_opts: Mapping[str, str] = field(default_factory=dict)
    gateway_priority: int = 0


@dataclass(frozen=True, slots=True)
class Healthcheck:
    """`test` empty inherits the image's; `("NONE",)` switches it off. None inherits the image's value."""

    test: tuple[str, ...] = ()
    interval: float | None = None
    timeout: float | None = None
    retries: int | None = None
    start_period: float | None = None
    start_interval: float | None = None


@dataclass(frozen=True, slots=True)
class Dependency:
    """A gate before the first start: `service` is a key of the same stack."""

    service: str
    condition: Condition = "service_started"
    required: bool = True
    restart: bool = False


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """When a task that ended is tried again. `delay` is the first pause, doubled for each crash in a row."""

    condition: RestartCondition = "any"
    delay: float | None = None
    max_attempts: int | None = None
    window: float | None = None


@dataclass(frozen=True, slots=True)
class UpdatePolicy:
    """How a changed service rolls over its slots."""

    parallelism: int = 1
    delay: float = 0.0
    order: UpdateOrder = "stop-first"
    failure_action: FailureAction = "rollback"
    monitor: float = 5.0
    max_failure_ratio: float = 0.0


@dataclass(frozen=True, slots=True)
class Resources:
    """What one task may use at most, or what is kept for it: CPUs in cores, memory in bytes, processes as a count."""

    cpus: float | None = None
    memory: int | None = None
    pids: int | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """Which machines a service's tasks may go to, and how they are spread over them.

    `constraints` are texts of `cluster.constraints`, `spread` the keys (`node.labels.zone`) that tasks are spread over,
    the second within each value of the first. `max_replicas_per_node` 0 is no limit. `binpack`: a machine that has much
    reserved is filled before the next.
    """

    constraints: tuple[str, ...] = ()
    spread: tuple[str, ...] = ()
    max_replicas_per_node: int = 0
    binpack: bool = False


@dataclass(frozen=True, slots=True)
class Build:
    """How the image is made. Paths are of the machine where the file was read: only the client opens them."""

    context: str
    dockerfile: str = "Dockerfile"
    args: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    network: str = ""
    no_cache: bool = False
    pull: bool = False


@dataclass(frozen=True, slots=True)
class Logging:
    """The engine's log driver of a container; an empty driver takes gbnt's default (json-file, 10 MB, 3 files)."""

    driver: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """One service of a stack. `command` and `entrypoint`: None keeps the image's, an empty tuple clears it.

    A service of the mode `global` has one task on each machine that it may be on, whatever `replicas` says.
    `image_id` is the content id of an image that gbnt built, and `built_on` the id of the only node that has it.
    `digest` is what the tag of any other meant to its registry at the deploy.
    """

    name: str
    image: str
    image_id: str = ""
    built_on: str = ""
    digest: str = ""
    build: Build | None = None
    pull_policy: PullPolicy = "missing"
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    deploy_labels: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[Port, ...] = ()
    expose: tuple[str, ...] = ()
    mounts: tuple[Mount, ...] = ()
    networks: tuple[Attachment, ...] = ()
    network_mode: Literal["", "host", "none", "bridge"] = ""
    healthcheck: Healthcheck | None = None
    depends_on: tuple[Dependency, ...] = ()
    restart: RestartPolicy = RestartPolicy()
    update: UpdatePolicy = UpdatePolicy()
    resources: Resources = Resources()
    reserved: Resources = Resources()
    placement: Placement = Placement()
    logging: Logging = Logging()
    replicas: int = 1
    mode: Mode = "replicated"
    container_name: str = ""
    user: str = ""
    working_dir: str = ""
    hostname: str = ""
    init: bool | None = None
    tty: bool = False
    stdin_open: bool = False
    read_only: bool = False
    privileged: bool = False
    stop_signal: str = ""
    stop_grace_period: float = 10.0
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    extra_hosts: tuple[str, ...] = ()
    tmpfs: tuple[str, ...] = ()
    tuning: Tuning = Tuning()
    privileges: Privileges = Privileges()
    domainname: str = ""
    mac_address: str = ""
    platform: str = ""
    group_add: tuple[str, ...] = ()
    dns: tuple[str, ...] = ()
    dns_search: tuple[str, ...] = ()
    dns_options: tuple[str, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    configs: tuple[ConfigFile, ...] = ()

    @property
    def reference(self) -> str:
        """The image as an engine is to have it: by its own id, or by tag and digest, as far as these are known."""
        return self.image_id or (f"{self.image}@{self.digest}" if self.digest else self.image)

    def revision(self) -> str:
        """The first 12 hex digits of the hash of all that a running container depends on.

        Left out is what may change under a running container: the number of replicas, the order of start, how
        updates and restarts are paced, and where the image was built, and from what.
        """
        lasting = replace(
            self,
            replicas=1,
            depends_on=(),
            update=UpdatePolicy(),
            restart=RestartPolicy(),
            build=None,
            built_on="",
            deploy_labels={},
        )
        return fingerprint(lasting)[:12]


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """A network of a stack. `name` is the engine's name; an external one is used, never made or removed."""

    name: str
    external: bool = False
    internal: bool = False
    subnet: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VolumeSpec:
    """A named volume of a stack. `name` is the engine's name; an external one must exist already."""

    name: str
    external: bool = False
    driver: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StackSpec:
    """A whole compose file: its services, and the networks, volumes and configs that they name, by the file's keys."""

    name: str
    services: Mapping[str, ServiceSpec]
    networks: Mapping[str, NetworkSpec] = field(default_factory=dict)
    volumes: Mapping[str, VolumeSpec] = field(default_factory=dict)
    configs: Mapping[str, ConfigSpec] = field(default_factory=dict)


class Unwritable(ValueError):
    """A value that cannot be kept, such as a whole number of more than 64 bits. Its text says why."""


def fingerprint(value: object) -> str:
    """The SHA-256 of a value's canonical JSON (sorted keys), as hex. Takes what orjson takes, dataclasses included.

    Of a dataclass only what differs from its default counts: a field that a later release adds leaves the fingerprint
    of what does not use it as it was, and so restarts nothing. Raises Unwritable.
    """
    import hashlib  # only where specs are compared: who sends one has no use for it

    return hashlib.sha256(as_json(_said(value), option=orjson.OPT_SORT_KEYS)).hexdigest()


def as_json(value: object, option: int = 0) -> bytes:
    """A value as JSON, with options of orjson. Raises Unwritable."""
    try:
        return orjson.dumps(value, option=option)
    except orjson.JSONEncodeError as error:
        raise Unwritable(str(error)) from error


def _said(value: Any) -> Any:
    """The value as plain JSON, without the fields that are as their defaults."""
    if is_dataclass(value):
        told = ((field.name, getattr(value, field.name), _default(field)) for field in fields(value))
        return {name: _said(now) for name, now, default in told if now != default}
    if isinstance(value, Mapping):
        return {key: _said(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [_said(one) for one in value]
    return value


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()
