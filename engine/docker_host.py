"""What of a container's `HostConfig` is about its machine: kernel settings, devices, namespaces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cluster.privileges import Device, DeviceRequest, Privileges
from cluster.tuning import BlockIo, Rate, Tuning, Ulimit

JSON = dict[str, Any]

UNMASKED = "systempaths=unconfined"
"""What `docker run --security-opt` takes for it; the engine itself wants two empty lists in its place."""


def tuning_body(tuning: Tuning) -> JSON:
    """The settings that are not left to the engine."""
    return _given(
        ShmSize=tuning.shm_size,
        MemoryReservation=tuning.memory_reservation,
        MemorySwap=tuning.memory_swap,
        MemorySwappiness=tuning.memory_swappiness,
        CpusetCpus=tuning.cpuset or None,
        CpuShares=tuning.cpu_shares,
        CpuPeriod=tuning.cpu_period,
        CpuQuota=tuning.cpu_quota,
        CpuRealtimePeriod=tuning.cpu_rt_period,
        CpuRealtimeRuntime=tuning.cpu_rt_runtime,
        OomScoreAdj=tuning.oom_score_adj,
        OomKillDisable=tuning.oom_kill_disable,
        Ulimits=[_ulimit(one) for one in tuning.ulimits] or None,
        Sysctls=dict(tuning.sysctls) or None,
        StorageOpt=dict(tuning.storage) or None,
        **_block_io(tuning.block_io),
    )


def privileges_body(privileges: Privileges) -> JSON:
    """What of the machine is opened to the container."""
    options = [option for option in privileges.security_opt if option != UNMASKED]
    bare: list[str] | None = [] if len(options) < len(privileges.security_opt) else None
    return _given(
        Devices=[_device(one) for one in privileges.devices] or None,
        DeviceRequests=[_request(one) for one in privileges.requests] or None,
        DeviceCgroupRules=list(privileges.device_cgroup_rules) or None,
        SecurityOpt=options or None,
        MaskedPaths=bare,
        ReadonlyPaths=bare,
        PidMode=privileges.pid or None,
        IpcMode=privileges.ipc or None,
        UTSMode=privileges.uts or None,
        UsernsMode=privileges.userns_mode or None,
        CgroupnsMode=privileges.cgroup or None,
        CgroupParent=privileges.cgroup_parent or None,
        Runtime=privileges.runtime or None,
    )


def _given(**fields: Any) -> JSON:
    return {name: value for name, value in fields.items() if value is not None}


def _ulimit(limit: Ulimit) -> JSON:
    return {"Name": limit.name, "Soft": limit.soft, "Hard": limit.hard}


def _block_io(limits: BlockIo) -> JSON:
    return {
        "BlkioWeight": limits.weight or None,
        "BlkioWeightDevice": [{"Path": one.path, "Weight": one.rate} for one in limits.weight_device] or None,
        "BlkioDeviceReadBps": _rates(limits.device_read_bps),
        "BlkioDeviceWriteBps": _rates(limits.device_write_bps),
        "BlkioDeviceReadIOps": _rates(limits.device_read_iops),
        "BlkioDeviceWriteIOps": _rates(limits.device_write_iops),
    }


def _rates(rates: Sequence[Rate]) -> list[JSON] | None:
    return [{"Path": one.path, "Rate": one.rate} for one in rates] or None


def _device(device: Device) -> JSON:
    return {
        "PathOnHost": device.source,
        "PathInContainer": device.target,
        "CgroupPermissions": device.permissions,
    }


def _request(request: DeviceRequest) -> JSON:
    return {
        "Driver": request.driver,
        "Count": request.count,
        "DeviceIDs": list(request.ids),
        "Capabilities": [list(request.capabilities)] if request.capabilities else [],
        "Options": dict(request.options),
    }
