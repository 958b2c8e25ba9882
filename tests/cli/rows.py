"""Rows as the API gives them, with what a test does not care about filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from portal.part_rows import AttemptRow
from portal.shapes import LeaverRow, NodeShown, ServiceRow, StackProgress, StackRow, TaskRow

Row = dict[str, Any]


def task(name: str = "shop-web-1", **fields: Any) -> TaskRow:
    stack, service, slot = name.rsplit("-", 2)
    row: TaskRow = {
        "id": f"id-of-{name}",
        "name": name,
        "stack": stack,
        "service": service,
        "slot": int(slot),
        "node": "rome",
        "desired": "run",
        "state": "running",
        "health": "",
        "message": "",
        "problem": "",
        "attempt": 1,
        "crashes": 0,
        "restart_at": None,
        "container_id": "c1",
        "container_name": f"{name}-a1",
        "image": "busybox",
        "digest": "",
        "labels": {},
        "exit_code": None,
        "created_at": 1_000.0,
        "since": 1_000.0,
        "started_at": 1_000.0,
        "addresses": {},
        "ports": [],
        "gpus": [],
        "past": [],
        "request": "",
    }
    return cast("TaskRow", row | fields)


def past(number: int, exit_code: int | None, reason: str, ended_at: float, name: str = "shop-web-1") -> AttemptRow:
    return {
        "number": number,
        "container_id": f"c{number}",
        "container_name": f"{name}-a{number}",
        "exit_code": exit_code,
        "reason": reason,
        "started_at": ended_at - 1,
        "ended_at": ended_at,
    }


def service(name: str = "shop/web", **fields: Any) -> ServiceRow:
    row: ServiceRow = {
        "name": name,
        "stack": name.split("/")[0],
        "service": name.split("/")[1],
        "image": "busybox",
        "digest": "",
        "mode": "replicated",
        "labels": {},
        "replicas": 1,
        "running": 1,
        "done": 0,
        "stopped": False,
        "revision": "abc",
        "ports": [],
        "update": "",
        "update_message": "",
        "updated_at": 1_000.0,
    }
    return cast("ServiceRow", row | fields)


def stack(name: str = "shop", **fields: Any) -> StackRow:
    row: StackRow = {
        "name": name,
        "services": 1,
        "tasks_running": 1,
        "tasks_wanted": 1,
        "status": "running",
        "message": "",
        "updated_at": 1_000.0,
        "volumes": [],
        "networks": [],
    }
    return cast("StackRow", row | fields)


def node(name: str = "gaul", **fields: Any) -> NodeShown:
    row: NodeShown = {
        "id": f"id-of-{name}",
        "name": name,
        "role": "worker",
        "status": "ready",
        "message": "ready",
        "warning": "",
        "availability": "active",
        "labels": {},
        "engine_labels": {},
        "address": "192.0.2.7",
        "engine_id": "",
        "engine_version": "20.10.24",
        "cpus": 2,
        "memory": 8_000_000_000,
        "reserved_cpus": 0.0,
        "reserved_memory": 0,
        "disk": {"path": "/var/lib/docker", "total": 64_000_000_000, "free": 41_000_000_000, "unknown": ""},
        "gpus": [],
        "gpu_runtime": "",
        "os": "linux",
        "arch": "x86_64",
        "since": 1_000.0,
        "tasks": 0,
        "volumes": [],
        "held": [],
        "version": "0.1.0",
        "certificate_expires": 0.0,
        "leaving": [],
    }
    return cast("NodeShown", row | fields)


def leaving(name: str = "shop-web-1", words: str = "waits for its turn", **fields: Any) -> LeaverRow:
    row: LeaverRow = {"task": name, "id": f"id-of-{name}", "state": "running", "words": words, "stuck": False}
    return cast("LeaverRow", row | fields)


def tasks_line(*tasks: TaskRow) -> StackProgress:
    return {"type": "tasks", "revision": 8, "tasks": list(tasks)}


def verdict(
    kind: str = "converged", reason: str = "", task: str | None = None, logs: tuple[str, ...] = ()
) -> StackProgress:
    lines: list[Mapping[str, str]] = [{"at": "2026-05-01T12:00:00Z", "stream": "stderr", "text": text} for text in logs]
    return {"type": "verdict", "verdict": kind, "reason": reason, "task": task, "logs": lines}
