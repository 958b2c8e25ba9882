"""How busy tasks and machines are, as the objects that the API sends. Pure; what is not known is None."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from actors.protocol import LoadSeen
from cluster.load import Sample, cpu_percent
from cluster.model import Node, State, Task, TaskState


class TaskLoad(TypedDict):
    """A task's figures; all are null where `unknown` says why. Bytes over networks and disks are since its start."""

    task: str
    id: str
    stack: str
    service: str
    slot: int
    node: str
    state: TaskState | Literal["unknown"]
    unknown: str
    cpu_percent: float | None
    memory: int | None
    memory_limit: int | None
    received: int | None
    sent: int | None
    read: int | None
    written: int | None
    pids: int | None


class NodeLoad(TypedDict):
    """A machine's figures; null where they are not known, and `unknown` is why its load is not."""

    node: str
    id: str
    unknown: str
    load: float | None
    cpus: int
    memory: int | None
    memory_total: int | None
    disk_free: int | None
    disk_total: int | None


class LoadLine(TypedDict):
    """How busy all of them are at one time."""

    at: float
    tasks: list[TaskLoad]
    nodes: list[NodeLoad]


def task_load(state: State, task: Task, before: Sample | None, sample: Sample | None, silent: str) -> TaskLoad:
    """A task from two looks at its container; `silent` is why its machine said nothing, empty where it did."""
    node = state.nodes.get(task.node)
    where = node.name if node else task.node
    why = f"{where} {silent}" if silent else "its container does not run"
    return {
        "task": task.name,
        "id": task.id,
        "stack": task.stack,
        "service": task.service,
        "slot": task.slot,
        "node": where,
        "state": task.standing,
        "unknown": "" if sample else why,
        "cpu_percent": cpu_percent(before, sample) if sample else None,
        "memory": sample.memory if sample else None,
        "memory_limit": sample.memory_limit if sample else None,
        "received": sample.received if sample else None,
        "sent": sample.sent if sample else None,
        "read": sample.read if sample else None,
        "written": sample.written if sample else None,
        "pids": sample.pids if sample else None,
    }


def node_load(node: Node, seen: LoadSeen | None, silent: str) -> NodeLoad:
    """A machine. What is free on its disk is about so, and as old as its last report."""
    load = seen.load if seen is not None and not seen.load.unknown else None
    disk = node.disk if not node.disk.unknown else None
    return {
        "node": node.name,
        "id": node.id,
        "unknown": silent or (seen.load.unknown if seen is not None else ""),
        "load": load.load if load else None,
        "cpus": node.cpus,
        "memory": load.memory if load else None,
        "memory_total": load.memory_total if load else None,
        "disk_free": disk.free if disk else None,
        "disk_total": disk.total if disk else None,
    }
