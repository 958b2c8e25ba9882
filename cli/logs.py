"""Printing what tasks wrote, each line behind the name of its task where there is more than one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from cli.colour import colours
from cli.errors import BadInput
from cli.group import together
from cli.kinds import Moment, Whole
from cli.live import PLAIN
from cli.words import clock_time

if TYPE_CHECKING:
    from portal.shapes import LogRow

_OPTIONS = together(
    click.option("--follow", "-f", is_flag=True, help="Go on with each line as it is written."),
    click.option("--tail", "-n", metavar="N", type=Whole(), help="Only the last N lines of each task."),
    click.option("--since", metavar="TIME", type=Moment(), help="Only from then on: 10m ago, or a date and time."),
    click.option("--until", metavar="TIME", type=Moment(), help="Only from before then."),
    click.option("--previous", "-p", is_flag=True, help="The last container that ended, instead of the one that runs."),
    click.option("--timestamps", "-t", is_flag=True, help="The time before each line."),
)


def log_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What a command that prints logs is told: the API's parameters as `query`, and `timestamps`."""

    @wraps(command)
    def told(
        *, follow: bool, tail: int | None, since: float | None, until: float | None, previous: bool, **rest: Any
    ) -> None:
        command(query=_query(follow, tail, since, until, previous), **rest)

    return _OPTIONS(told)


TASK_COLOURS = ("\x1b[36m", "\x1b[33m", "\x1b[32m", "\x1b[35m", "\x1b[34m")


def _query(
    follow: bool, tail: int | None, since: float | None, until: float | None, previous: bool
) -> dict[str, str | int | None]:
    """The API's parameters for these options. Raises BadInput for two that contradict each other."""
    if follow and previous:
        raise BadInput("a container that ended writes nothing more: leave out --follow or --previous")
    if follow and until is not None:
        raise BadInput("what is followed has no end: leave out --follow or --until")
    switches = {"follow": int(follow) or None, "previous": int(previous) or None}
    times = {
        name: None if at is None else f"{at:.6f}".rstrip("0").rstrip(".")
        for name, at in (("since", since), ("until", until))
    }
    return {**switches, "tail": tail, **times}


def print_logs(lines: Iterable[LogRow], *, timestamps: bool = False) -> None:
    """Print lines as they come, those of a task's standard error on ours. Ctrl-C ends it like an end of the lines."""
    coloured = colours(sys.stdout)
    chosen: dict[str, str] = {}
    try:
        for line in lines:
            stream = sys.stdout if line["stream"] == "stdout" else sys.stderr  # and what the manager notes
            colour = chosen.setdefault(line["task"], TASK_COLOURS[len(chosen) % len(TASK_COLOURS)])
            head = f"{line['task']} |"
            shown = f"{colour}{head}{PLAIN}" if coloured else head
            moment = f" {clock_time(line['at'])}" if timestamps else ""
            print(f"{shown}{moment} {line['text']}", file=stream, flush=True)
    except KeyboardInterrupt:
        return
