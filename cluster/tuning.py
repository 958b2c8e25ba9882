"""What the kernel grants a container beside CPU, memory and processes; settings are those of the compose specification.

Sizes are bytes, times microseconds. None, or empty, leaves what the engine does by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Ulimit:
    """A limit of `setrlimit(2)` by its name in lower case; -1 is none."""

    name: str
    soft: int
    hard: int


@dataclass(frozen=True, slots=True)
class Rate:
    """How much one block device may be used: bytes or operations a second, or its weight."""

    path: str
    rate: int


@dataclass(frozen=True, slots=True)
class BlockIo:
    """Shares of, and limits to, the use of block devices. Weights are from 10 to 1000; 0 is none."""

    weight: int = 0
    weight_device: tuple[Rate, ...] = ()
    device_read_bps: tuple[Rate, ...] = ()
    device_write_bps: tuple[Rate, ...] = ()
    device_read_iops: tuple[Rate, ...] = ()
    device_write_iops: tuple[Rate, ...] = ()


@dataclass(frozen=True, slots=True)
class Tuning:
    """`memory_swap` is memory and swap together, -1 without limit."""

    shm_size: int | None = None
    memory_reservation: int | None = None
    memory_swap: int | None = None
    memory_swappiness: int | None = None
    cpuset: str = ""
    cpu_shares: int | None = None
    cpu_period: int | None = None
    cpu_quota: int | None = None
    cpu_rt_period: int | None = None
    cpu_rt_runtime: int | None = None
    oom_score_adj: int | None = None
    oom_kill_disable: bool | None = None
    ulimits: tuple[Ulimit, ...] = ()
    sysctls: Mapping[str, str] = field(default_factory=dict)
    storage: Mapping[str, str] = field(default_factory=dict)
    block_io: BlockIo = BlockIo()
