"""A container's counters in Docker's JSON of `/containers/{id}/stats`, from either kind of control groups."""

from __future__ import annotations

from typing import Any

from cluster.load import Sample
from engine.docker_container import seconds

JSON = dict[str, Any]

# What the kernel could drop at once: the first is of control groups v1, the second of v2.
DROPPABLE = ("total_inactive_file", "inactive_file")


def sample_of(found: JSON) -> Sample | None:
    """The counters; None of a container that does not run, for which all of them are empty or left out."""
    pids = (found.get("pids_stats") or {}).get("current")
    at, memory = seconds(found["read"]) if found.get("read") else 0.0, found.get("memory_stats") or {}
    busy = ((found.get("cpu_stats") or {}).get("cpu_usage") or {}).get("total_usage")
    if not at or busy is None:
        return None
    return Sample(
        at=at,
        cpu_seconds=busy / 1e9,
        memory=_memory(memory),
        memory_limit=memory.get("limit"),
        received=_over_networks(found, "rx_bytes"),
        sent=_over_networks(found, "tx_bytes"),
        read=_on_disks(found, "read"),
        written=_on_disks(found, "write"),
        pids=pids,
    )


def _memory(told: JSON) -> int | None:
    used: int | None = told.get("usage")
    if used is None:
        return None
    stats = told.get("stats") or {}
    droppable: int = next((stats[key] for key in DROPPABLE if key in stats), 0)
    return used - droppable if droppable < used else used


def _over_networks(found: JSON, key: str) -> int | None:
    """One on its machine's own network has none to count on."""
    networks: dict[str, JSON] | None = found.get("networks")
    return None if networks is None else sum(one.get(key, 0) for one in networks.values())


def _on_disks(found: JSON, op: str) -> int | None:
    entries: list[JSON] | None = (found.get("blkio_stats") or {}).get("io_service_bytes_recursive")
    return None if entries is None else sum(one["value"] for one in entries if one["op"].lower() == op)
