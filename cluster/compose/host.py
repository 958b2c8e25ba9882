"""The canonical keys of a service that are about its machine, as a spec holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cluster.privileges import Device, DeviceRequest, Privileges
from cluster.tuning import BlockIo, Rate, Tuning, Ulimit

Keys = Mapping[str, Any]

_GPU = ("gpu",)
_PLAIN = ("cpuset", "cpu_shares", "cpu_period", "cpu_quota", "cpu_rt_period", "cpu_rt_runtime", "oom_score_adj")
_NAMESPACES = ("pid", "ipc", "uts", "userns_mode", "cgroup", "cgroup_parent", "runtime")


def tuning(keys: Keys) -> Tuning:
    """The kernel's settings."""
    return Tuning(
        shm_size=_count(keys, "shm_size"),
        memory_swap=_count(keys, "memswap_limit"),
        memory_swappiness=_count(keys, "mem_swappiness"),
        oom_kill_disable=keys.get("oom_kill_disable"),
        ulimits=tuple(_ulimit(name.lower(), limit) for name, limit in sorted(keys.get("ulimits", {}).items())),
        sysctls=keys.get("sysctls", {}),
        storage=keys.get("storage_opt", {}),
        block_io=_block_io(keys.get("blkio_config", {})),
        **{key: keys[key] for key in _PLAIN if key in keys},
    )


def privileges(keys: Keys, reserved: Keys) -> Privileges:
    """What is opened of the machine; `reserved` are the service's reservations, among which devices may be."""
    devices = keys.get("devices", ())
    return Privileges(
        devices=tuple(Device(one["source"], one["target"], one["permissions"]) for one in devices if not is_cdi(one)),
        requests=tuple(_requests(keys, reserved)),
        device_cgroup_rules=tuple(keys.get("device_cgroup_rules", ())),
        security_opt=tuple(keys.get("security_opt", ())),
        **{key: keys[key] for key in _NAMESPACES if key in keys},
    )


def is_cdi(device: Keys) -> bool:
    """Whether a device is named as the Container Device Interface does, `vendor.com/class=name`, and not by a path."""
    return not device["source"].startswith("/") and "=" in device["source"]


def _requests(keys: Keys, reserved: Keys) -> Iterator[DeviceRequest]:
    names = tuple(one["source"] for one in keys.get("devices", ()) if is_cdi(one))
    if names:
        yield DeviceRequest("cdi", ids=names)
    for one in keys.get("gpus", ()):
        yield _request(one, (*_GPU, *(word for word in one.get("capabilities", ()) if word not in _GPU)))
    for one in reserved.get("devices", ()):
        yield _request(one, tuple(one["capabilities"]))


def _request(keys: Keys, capabilities: tuple[str, ...]) -> DeviceRequest:
    return DeviceRequest(
        driver=keys.get("driver", ""),
        count=keys.get("count", 0),
        ids=tuple(keys.get("device_ids", ())),
        capabilities=capabilities,
        options=keys.get("options", {}),
    )


def _count(keys: Keys, key: str) -> int | None:
    return int(keys[key]) if key in keys else None


def _ulimit(name: str, limit: int | Mapping[str, int]) -> Ulimit:
    return Ulimit(name, limit, limit) if isinstance(limit, int) else Ulimit(name, limit["soft"], limit["hard"])


def _block_io(keys: Keys) -> BlockIo:
    rates = ("device_read_bps", "device_write_bps", "device_read_iops", "device_write_iops")
    return BlockIo(
        weight=keys.get("weight", 0),
        weight_device=tuple(Rate(one["path"], one["weight"]) for one in keys.get("weight_device", ())),
        **{key: tuple(Rate(one["path"], int(one["rate"])) for one in keys.get(key, ())) for key in rates},
    )
