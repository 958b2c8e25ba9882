"""What of its machine a container may reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ALL = -1
"""The count of a request for all devices that there are."""


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


def capability(name: str) -> str:
    """A capability in upper case and without its prefix, so that two ways to write one are equal."""
    return name.upper().removeprefix("CAP_")
