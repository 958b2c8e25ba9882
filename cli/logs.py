"""Printing what tasks wrote, each line behind the name of its task where there is more than one."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable

import click

from cli.errors import BadInput
from cli.group import together
from cli.kinds import Whole
from cli.live import PLAIN
from cli.table import Row
from cli.words import clock_time, duration

# What a command that prints logs is told: `follow`, `tail`, `since`, `previous` and `timestamps`.
log_options = together(
    click.option("--follow", "-f", is_flag=True, help="Go on with each line as it is written."),
    click.option("--tail", "-n", metavar="N", type=Whole(), help="Only the last N lines of each task."),
    click.option("--since", metavar="TIME", default="", help="Only lines of the last 90s, 10m, 2h, 3d."),
    click.option("--previous", "-p", is_flag=True, help="The last container that ended, instead of the one that runs."),
    click.option("--timestamps", "-t", is_flag=True, help="The time before each line."),
)

TASK_COLOURS = ("\x1b[36m", "\x1b[33m", "\x1b[32m", "\x1b[35m", "\x1b[34m")


def log_query(follow: bool, tail: int | None, since: str, previous: bool) -> dict[str, str | int | None]:
    """The API's parameters for these options. Raises BadInput for a TIME that is none."""
    if follow and previous:
        raise BadInput("a container that ended writes nothing more: leave out --follow or --previous")
    moment = int(time.time() - duration(since)) if since else None
    return {"follow": int(follow) or None, "tail": tail, "since": moment, "previous": int(previous) or None}


def print_logs(lines: Iterable[Row], *, timestamps: bool = False) -> None:
    """Print lines as they come, those of a task's standard error on ours. Ctrl-C ends it like an end of the lines."""
    coloured = sys.stdout.isatty()
    colours: dict[str, str] = {}
    try:
        for line in lines:
            stream = sys.stdout if line["stream"] == "stdout" else sys.stderr  # and what the manager notes
            colour = colours.setdefault(line["task"], TASK_COLOURS[len(colours) % len(TASK_COLOURS)])
            head = f"{line['task']} |"
            shown = f"{colour}{head}{PLAIN}" if coloured else head
            moment = f" {clock_time(line['at'])}" if timestamps else ""
            print(f"{shown}{moment} {line['text']}", file=stream, flush=True)
    except KeyboardInterrupt:
        return
