"""The tables of stacks and what they are made of: their revisions, services, and tasks with their past."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cli.filters import Filter, begins, has, is_
from cli.output import Output, show_list
from cli.table import Column, column
from cli.task_words import ended_of, note, short_name, state, with_past
from cli.words import age, clock_time

if TYPE_CHECKING:
    from portal.part_rows import HostPortRow, PortRow
    from portal.shapes import RevisionRow, ServiceRow, StackRow, TaskRow

STACK_FILTERS: Mapping[str, Filter[StackRow]] = {
    "name": has("name"),
    "status": is_("status", ("running", "done", "updating", "degraded", "stopped", "empty", "removing")),
}
MORE_OF_STACKS: tuple[Column[StackRow], ...] = (
    column("VOLUMES", "volumes", flexible=True),
    column("NETWORKS", "networks", flexible=True),
)

REVISION_FILTERS: Mapping[str, Filter[RevisionRow]] = {
    "by": Filter(lambda row, text: text == (row["by"] or "root")),
    "changes": Filter(lambda row, text: text in _changes(row)),
}

SERVICES: tuple[Column[ServiceRow], ...] = (
    column("NAME", "name"),
    Column("REPLICAS", lambda row: _replicas(row)),
    Column("IMAGE", lambda row: _image(row), flexible=True),
    Column("PORTS", lambda row: [_port(port) for port in row["ports"]], flexible=True),
    Column("UPDATE", lambda row: row.get("update_message") or row.get("update"), flexible=True),
)

MORE_OF_SERVICES: tuple[Column[ServiceRow], ...] = (
    column("MODE", "mode"),
    Column("REVISION", lambda row: str(row["revision"])[:12]),
    column("DIGEST", "digest", flexible=True),
)
SERVICE_FILTERS: Mapping[str, Filter[ServiceRow]] = {
    "name": has("name"),
    "stack": is_("stack"),
    "image": has("image"),
    "mode": is_("mode", ("replicated", "global")),
}

MORE_OF_TASKS: tuple[Column[TaskRow], ...] = (
    column("ID", "id"),
    Column("ADDRESSES", lambda row: list((row.get("addresses") or {}).values()), flexible=True),
    Column("PORTS", lambda row: [_host_port(port) for port in row.get("ports") or ()], flexible=True),
    Column("IMAGE", lambda row: _image(row), flexible=True),
)
TASK_STATES = (
    *("pending", "assigned", "preparing", "starting", "running"),
    *("complete", "failed", "stopped", "rejected", "lost", "unknown"),
)
TASK_FILTERS: Mapping[str, Filter[TaskRow]] = {
    "name": has("name"),
    "id": begins("id"),
    "stack": is_("stack"),
    "service": Filter(lambda row, text: text in (row["service"], f"{row['stack']}/{row['service']}")),
    "node": is_("node"),
    "state": is_("state", TASK_STATES),
    "health": is_("health", ("starting", "healthy", "unhealthy")),
    "image": has("image"),
}


def show_stacks(stacks: Sequence[StackRow], output: Output, *, no_trunc: bool) -> None:
    """Stacks, and why one is not well."""
    now = time.time()
    columns: tuple[Column[StackRow], ...] = (
        column("NAME", "name"),
        column("STATUS", "status"),
        Column("TASKS", lambda row: f"{row['tasks_running']}/{row['tasks_wanted']}"),
        column("SERVICES", "services"),
        Column("CHANGED", lambda row: age(row["updated_at"], now)),
        column("NOTE", "message", flexible=True),
    )
    empty = "no stacks; `gbnt stack deploy -c compose.yaml` makes one"
    show_list(stacks, columns, output, more=MORE_OF_STACKS, no_trunc=no_trunc, empty=empty)


def show_revisions(revisions: Sequence[RevisionRow], output: Output, *, no_trunc: bool, empty: str) -> None:
    """What a stack said at its deploys."""
    now = time.time()
    columns: tuple[Column[RevisionRow], ...] = (
        column("REVISION", "number"),
        Column("DEPLOYED", lambda row: age(row["at"], now)),
        Column("BY", lambda row: str(row["by"] or "root")),
        column("SERVICES", "services"),
        Column("FILES", lambda row: "kept" if row["sources"] else "-"),
        Column("CHANGES", _changes, flexible=True),
    )
    more: tuple[Column[RevisionRow], ...] = (Column("AT", lambda row: clock_time(row["at"])),)
    show_list(revisions, columns, output, more=more, no_trunc=no_trunc, empty=empty, key="number")


def show_services(services: Sequence[ServiceRow], output: Output, *, no_trunc: bool, empty: str) -> None:
    """Services, those of more than one stack by stack."""
    show_list(services, SERVICES, output, more=MORE_OF_SERVICES, no_trunc=no_trunc, empty=empty)


def show_tasks(tasks: Sequence[TaskRow], output: Output, *, no_trunc: bool, empty: str, past: bool = True) -> None:
    """Tasks by service and slot; with `past`, what ran in the slot before stands under each."""
    rows = list(with_past(tasks)) if past and output.is_table else tasks
    columns = _task_columns(time.time(), whole=not past)
    show_list(rows, columns, output, more=MORE_OF_TASKS, no_trunc=no_trunc, empty=empty)


def _task_columns(now: float, *, whole: bool) -> tuple[Column[TaskRow], ...]:
    """`whole` names a task with its stack, for lists of more than one."""

    def name(row: TaskRow) -> str:
        if ended_of(row):
            return f"\\_ {short_name(row)}"
        return str(row["name"]) if whole else short_name(row)

    def status(row: TaskRow) -> str:
        ended = ended_of(row)
        if ended is None:
            return state(row, now)
        return "ended" if ended["exit_code"] is None else f"exit {ended['exit_code']}"

    def since(row: TaskRow) -> str:
        ended = ended_of(row)
        return age(ended["ended_at"] if ended else row["since"], now)

    def container(row: TaskRow) -> str:
        return str((ended_of(row) or row)["container_name"] or "")

    def reason(row: TaskRow) -> str:
        ended = ended_of(row)
        return str(ended["reason"] or "") if ended else note(row)

    return (
        Column("NAME", name),
        column("NODE", "node"),
        Column("STATE", status),
        Column("SINCE", since),
        Column("CONTAINER", container, flexible=True, keeps_end=True),
        Column("NOTE", reason, flexible=True),
    )


def _changes(row: RevisionRow) -> str:
    """What one revision changed, in a cell, and which one it goes back to."""
    changes = ", ".join(f"{name} {change}" for name, change in sorted(row["changes"].items()))
    return f"back to {row['of']}: {changes}" if row.get("of") else changes


def _replicas(row: ServiceRow) -> str:
    """How many of those that are wanted are there: `2/3`, `1/1 done` for one-off work that ended well, or `stopped`."""
    if row["stopped"]:
        return "stopped"
    replicas, done = row["replicas"], row.get("done", 0)
    note = " done" if done and done == replicas else f", {done} done" if done else ""
    return f"{row['running'] + done}/{replicas}{note}"


def _image(row: ServiceRow | TaskRow) -> str:
    """As the file says it, and the beginning of its digest: `web:1 (4f9a2c11b0d3)`."""
    digest = str(row.get("digest") or "").partition(":")[2]
    return f"{row['image']} ({digest[:12]})" if digest else str(row["image"])


def _port(port: PortRow) -> str:
    """`127.0.0.1:8080->80/tcp`; the engine's own choice of a port is a star."""
    first, last = port["published"], port["published_last"]
    published = "*" if not first else f"{first}-{last}" if last and last != first else str(first)
    return _published(port, published)


def _host_port(port: HostPortRow) -> str:
    """The same of a port that a task has."""
    return _published(port, str(port["host_port"]))


def _published(port: PortRow | HostPortRow, published: str) -> str:
    address = f"{port['host_ip']}:" if port["host_ip"] else ""
    return f"{address}{published}->{port['target']}/{port['protocol']}"
