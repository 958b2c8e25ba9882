"""What of its machine a container may reach, and which of that makes it as mighty as the machine's own root."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

ALL_CAPABILITIES = frozenset({"ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO", "DAC_READ_SEARCH", "BPF"})
"""Those of `capabilities(7)` by which a container gets out of its walls."""
CONFINING = ("no-new-privileges", "no-new-privileges=true", "no-new-privileges:true")
"""Security options that take away and give nothing."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device of the machine, by what name it is in the container, and what may be done with it: of r, w and m."""

    source: str
    target: str
    permissions: str = "rwm"


@dataclass(frozen=True, slots=True)
class DeviceRequest:
    """Devices by a driver of the engine, such as GPUs: so many (-1 is all there are), or those of these ids."""

    driver: str = ""
    count: int = 0
    ids: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Privileges:
    """Empty leaves what the engine does by itself. The modes are the engine's own words, such as `host`."""

    devices: tuple[Device, ...] = ()
    requests: tuple[DeviceRequest, ...] = ()
    device_cgroup_rules: tuple[str, ...] = ()
    security_opt: tuple[str, ...] = ()
    pid: str = ""
    ipc: str = ""
    uts: str = ""
    userns_mode: str = ""
    cgroup: str = ""
    cgroup_parent: str = ""
    runtime: str = ""


def mighty(privileged: bool, cap_add: tuple[str, ...], privileges: Privileges) -> Iterator[str]:
    """The keys of a service by which its containers get out of their walls, as the compose file calls them."""
    said: dict[str, bool] = {
        "privileged": privileged,
        "cap_add": not ALL_CAPABILITIES.isdisjoint(cap_add),
        "devices": bool(privileges.devices),
        "device_cgroup_rules": bool(privileges.device_cgroup_rules),
        "security_opt": any(option not in CONFINING for option in privileges.security_opt),
        "pid": privileges.pid == "host",
        "ipc": privileges.ipc == "host",
        "uts": privileges.uts == "host",
        "userns_mode": privileges.userns_mode == "host",
        "cgroup": privileges.cgroup == "host",
        "cgroup_parent": bool(privileges.cgroup_parent),
        "runtime": bool(privileges.runtime),
    }
    return (key for key, is_so in said.items() if is_so)
