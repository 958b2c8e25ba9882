"""One container as an engine is asked to make it: engine-neutral, complete, decided before any engine is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cluster.privileges import Privileges
from cluster.spec import Healthcheck, Logging, Mount, Resources
from cluster.tuning import Tuning


@dataclass(frozen=True, slots=True)
class PortBinding:
    """A container's port on the host.

    `host_port` 0 lets the engine choose a free one; `host_port_last` above `host_port` lets it take any free one of
    that range. `host_ip` empty is every address.
    """

    target: int
    protocol: str = "tcp"
    host_ip: str = ""
    host_port: int = 0
    host_port_last: int = 0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A container's place on a network: the engine's name of the network and the address that the Senate gave."""

    network: str
    ipv4_address: str = ""
    mac_address: str = ""
    link_local_ips: tuple[str, ...] = ()
    driver_opts: Mapping[str, str] = field(default_factory=dict)
    gateway_priority: int = 0


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """What the engine needs to create one container.

    `mounts` of type volume name the engine's volume. `network_mode` is set only where `endpoints` is empty. No
    service name is ever an alias or a host name: Docker's own resolver would answer it from this machine alone.
    """

    name: str
    image: str
    labels: Mapping[str, str]
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[PortBinding, ...] = ()
    expose: tuple[str, ...] = ()
    mounts: tuple[Mount, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    network_mode: str = ""
    dns: tuple[str, ...] = ()
    dns_search: tuple[str, ...] = ()
    dns_options: tuple[str, ...] = ()
    extra_hosts: tuple[str, ...] = ()
    healthcheck: Healthcheck | None = None
    resources: Resources = Resources()
    logging: Logging = Logging()
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
    tmpfs: tuple[str, ...] = ()
    tuning: Tuning = Tuning()
    privileges: Privileges = Privileges()
    domainname: str = ""
    mac_address: str = ""
    platform: str = ""
    group_add: tuple[str, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExecSpec:
    """A command to run in a container that runs already.

    `tty` gives it a terminal of `rows` by `columns` (0: the engine's own size), where all it writes is one stream.
    `stdin` lets it read what is typed; without, it finds the end at once. An empty `user` or `working_dir` is the
    container's.
    """

    command: tuple[str, ...]
    tty: bool = False
    stdin: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    working_dir: str = ""
    rows: int = 0
    columns: int = 0
