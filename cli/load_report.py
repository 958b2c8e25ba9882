"""How busy tasks and machines are, as two tables, once or over and over in place."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from cli.errors import NotFound
from cli.output import Output, show_list, terminal_width
from cli.table import GAP, NARROWEST, Column, cells, column, cut, render
from cli.words import size

if TYPE_CHECKING:
    from cli.client import Client
    from portal.load_rows import LoadLine, NodeLoad, TaskLoad

HOME, CLEAR_LINE, CLEAR_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"
UNKNOWN = "?"

NODES: tuple[Column[NodeLoad], ...] = (
    column("NODE", "node"),
    Column("LOAD", lambda row: _known(row["load"], "{:.2f}".format)),
    column("CPUS", "cpus"),
    Column("MEMORY", lambda row: _of(row["memory"], row["memory_total"])),
    Column("DISK FREE", lambda row: _of(row["disk_free"], row["disk_total"])),
    Column("NOTE", lambda row: row["unknown"], flexible=True),
)
TASKS: tuple[Column[TaskLoad], ...] = (
    column("TASK", "task", flexible=True, keeps_end=True),
    column("NODE", "node"),
    Column("CPU", lambda row: _known(row["cpu_percent"], "{:.1f} %".format)),
    Column("MEMORY", lambda row: _of(row["memory"], row["memory_limit"])),
    Column("NET IN / OUT", lambda row: _both(row["received"], row["sent"])),
    Column("DISK READ / WRITTEN", lambda row: _both(row["read"], row["written"])),
    Column("PIDS", lambda row: _known(row["pids"], str)),
    Column("NOTE", lambda row: row["unknown"], flexible=True),
)
# What goes first where the terminal is too narrow for all: without a task's whole name nobody can tell replicas apart.
DISPENSABLE = ("DISK READ / WRITTEN", "NET IN / OUT")

ORDERS: Mapping[str, Callable[[TaskLoad], tuple[float, str]]] = {
    "cpu": lambda row: (-(row["cpu_percent"] or 0.0), row["task"]),
    "memory": lambda row: (-(row["memory"] or 0), row["task"]),
    "name": lambda row: (0.0, row["task"]),
}


def selection(client: Client, subject: str) -> dict[str, str]:
    """The parameters that choose what a person named: a stack, else a task, else a service."""
    if not subject:
        return {}
    if "/" in subject:
        return {"service": subject}
    if subject in {row["name"] for row in client.stacks()}:
        return {"stack": subject}
    try:
        return {"task": str(client.task(subject)["id"])}
    except NotFound as missing:
        try:
            return {"service": client.service_key(subject)}
        except NotFound:
            raise missing from None


def report(line: LoadLine, sort: str) -> list[str]:
    """The lines of both tables, cut to the terminal's width."""
    width = terminal_width()
    machines = render(line["nodes"], NODES, width).splitlines()
    ordered = sorted(line["tasks"], key=ORDERS[sort])
    tasks = render(ordered, _fitting(ordered, width), width).splitlines() if ordered else ["no task runs"]
    return [*machines, "", *tasks]


def show_tasks(line: LoadLine, sort: str, output: Output) -> None:
    """The tasks alone, as names or by a template."""
    show_list(sorted(line["tasks"], key=ORDERS[sort]), TASKS, output, key="task")


def refreshed(lines: Iterable[LoadLine], sort: str, terminal: TextIO) -> None:
    """Draw each line over the one before; of what has no room the last tasks are left out."""
    for line in lines:
        columns, rows = shutil.get_terminal_size()
        drawn = report(line, sort)
        if len(drawn) >= rows:
            drawn = [*drawn[: rows - 2], cut(f"… and {len(drawn) - rows + 2} more", columns)]
        terminal.write(HOME + "".join(f"{text}{CLEAR_LINE}\n" for text in drawn) + CLEAR_BELOW)
        terminal.flush()


def _fitting(tasks: Sequence[TaskLoad], width: int | None) -> tuple[Column[TaskLoad], ...]:
    """The columns for which there is room beside the beginning of a note."""
    columns = TASKS
    for title in DISPENSABLE:
        lines = render(tasks, columns[:-1]).splitlines()
        if width is None or max(map(cells, lines)) + len(GAP) + NARROWEST <= width:
            break
        columns = tuple(one for one in columns if one.title != title)
    return columns


def _known(value: float | None, text: Callable[[float], str]) -> str:
    return UNKNOWN if value is None else text(value)


def _of(part: int | None, whole: int | None) -> str:
    return f"{_known(part, size)} / {_known(whole, size)}"


def _both(coming: int | None, going: int | None) -> str:
    return f"{_known(coming, size)} / {_known(going, size)}"
