"""What of a service makes its containers as mighty as their machine's own root."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from cluster.paths import gives_machine
from cluster.privileges import capability
from cluster.spec import Mount, ServiceSpec, VolumeSpec

ALL_CAPABILITIES = frozenset({"ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO", "DAC_READ_SEARCH", "BPF"})
"""Those of `capabilities(7)` by which a container gets out of its walls."""
CONFINING = ("no-new-privileges", "no-new-privileges=true", "no-new-privileges:true")
"""Security options that take away and give nothing."""
ELSEWHERE = ("", "tmpfs", "nfs", "nfs4", "cifs", "smb3", "ceph")
"""File systems of which none is the machine's own: a volume of any other may be its disk, or what its kernel shows."""


def mighty(service: ServiceSpec, volumes: Mapping[str, VolumeSpec]) -> Iterator[str]:
    """The keys by which its containers get out of their walls, as the compose file calls them.

    `volumes` are those of its stack, by the file's keys.
    """
    privileges = service.privileges
    paths = ", ".join(dict.fromkeys(_paths(service.mounts, volumes)))
    said: dict[str, bool] = {
        "privileged": service.privileged,
        "cap_add": not ALL_CAPABILITIES.isdisjoint(map(capability, service.cap_add)),
        f"volumes ({paths})": bool(paths),
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


def _paths(mounts: Iterable[Mount], volumes: Mapping[str, VolumeSpec]) -> Iterator[str]:
    """What of the machine is mounted that gives it away."""
    for mount in mounts:
        volume = volumes.get(mount.source) if mount.type == "volume" else None
        if mount.type == "bind" and gives_machine(mount.source, read_only=mount.read_only):
            yield mount.source
        elif volume is not None and _is_of_machine(volume):
            yield volume.options.get("device") or volume.options["type"]


def _is_of_machine(volume: VolumeSpec) -> bool:
    """Whether a volume is a part of the machine that gives it away.

    A new one is filled from its image where it is empty, though a container may only read it: it counts as written.
    """
    if volume.external or volume.driver not in ("", "local"):
        return False
    options = volume.options
    if not {"bind", "rbind"}.isdisjoint(options.get("o", "").split(",")):
        return gives_machine(options.get("device", ""))
    return options.get("type", "") not in ELSEWHERE
