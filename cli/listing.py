"""The tables that more than one command shows: tasks with their past, and services."""

from __future__ import annotations

import time
from collections.abc import Sequence

from cli.output import Output, show_list
from cli.table import Column, Row, column
from cli.task_words import note, short_name, state, with_past
from cli.words import age

SERVICES = (
    column("NAME", "name"),
    Column("REPLICAS", lambda row: _replicas(row)),
    Column("IMAGE", lambda row: _image(row), flexible=True),
    Column("PORTS", lambda row: [_port(port) for port in row["ports"]], flexible=True),
    Column("UPDATE", lambda row: row.get("update_message") or row.get("update"), flexible=True),
)


def show_tasks(tasks: Sequence[Row], output: Output, *, no_trunc: bool, empty: str, past: bool = True) -> None:
    """Tasks by service and slot; with `past`, what ran in the slot before stands under each."""
    rows = list(with_past(tasks)) if past and output == "table" else tasks
    show_list(rows, _task_columns(time.time(), whole=not past), output, no_trunc=no_trunc, empty=empty)


def _task_columns(now: float, *, whole: bool) -> tuple[Column, ...]:
    """`whole` names a task with its stack, for lists of more than one."""

    def name(row: Row) -> str:
        if "ended" in row:
            return f"\\_ {short_name(row)}"
        return str(row["name"]) if whole else short_name(row)

    def status(row: Row) -> str:
        ended = row.get("ended")
        if ended is None:
            return state(row, now)
        return "ended" if ended["exit_code"] is None else f"exit {ended['exit_code']}"

    def since(row: Row) -> str:
        return age(row["ended"]["ended_at"] if "ended" in row else row["since"], now)

    def container(row: Row) -> str:
        return str(row.get("ended", row)["container_name"] or "")

    def reason(row: Row) -> str:
        return str(row["ended"]["reason"] or "") if "ended" in row else note(row)

    return (
        Column("NAME", name),
        column("NODE", "node"),
        Column("STATE", status),
        Column("SINCE", since),
        Column("CONTAINER", container, flexible=True, keeps_end=True),
        Column("NOTE", reason, flexible=True),
    )


def _replicas(row: Row) -> str:
    """How many of those that are wanted are there: `2/3`, `1/1 done` for one-off work that ended well, or `stopped`."""
    if row["stopped"]:
        return "stopped"
    replicas, done = row["replicas"], row.get("done", 0)
    note = " done" if done and done == replicas else f", {done} done" if done else ""
    return f"{row['running'] + done}/{replicas}{note}"


def _image(row: Row) -> str:
    """As the file says it, and the beginning of its digest: `web:1 (4f9a2c11b0d3)`."""
    digest = str(row.get("digest") or "").partition(":")[2]
    return f"{row['image']} ({digest[:12]})" if digest else str(row["image"])


def _port(port: Row) -> str:
    """`127.0.0.1:8080->80/tcp`; the engine's own choice of a port is a star."""
    first, last = port["published"], port["published_last"]
    published = "*" if not first else f"{first}-{last}" if last and last != first else str(first)
    address = f"{port['host_ip']}:" if port["host_ip"] else ""
    return f"{address}{published}->{port['target']}/{port['protocol']}"
