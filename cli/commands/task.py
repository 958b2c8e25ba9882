"""`gbnt task`: one replica of a service."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.connect import ContextOption, connect
from cli.group import example, group
from cli.listing import show_tasks
from cli.logs import (
    FollowOption,
    PreviousOption,
    SinceOption,
    TailOption,
    TimestampsOption,
    log_query,
    print_logs,
)
from cli.output import NoTruncOption, Output, OutputOption, show_value

app = group("See, read and replace single tasks. A task is called by its id, the beginning of one, or its name.")

Reference = Annotated[str, typer.Argument(metavar="TASK", show_default=False)]


@app.command("ls", epilog=example("gbnt task ls", "gbnt task ls --stack shop --all"))
def ls(
    stack: Annotated[str, typer.Option("--stack", help="Only those of this stack.", show_default=False)] = "",
    ended: Annotated[bool, typer.Option("--all", "-a", help="Those that ended too.")] = False,
    context: ContextOption = "",
    output: OutputOption = Output.TABLE,
    no_trunc: NoTruncOption = False,
) -> None:
    """List the tasks of all stacks, and why each is as it is."""
    tasks = connect(context).tasks(stack, ended=ended)
    show_tasks(tasks, output, no_trunc=no_trunc, empty="no tasks", past=False)


@app.command("inspect", epilog=example("gbnt task inspect shop-web-1"))
def inspect(task: Reference, context: ContextOption = "", output: OutputOption = Output.YAML) -> None:
    """Print all that is known of a task, its ended containers included."""
    show_value(connect(context).task(task), output)


@app.command("rm", epilog=example("gbnt task rm shop-web-1"))
def rm(task: Reference, context: ContextOption = "") -> None:
    """Stop a task's container for good. Its service starts another in its place."""
    connect(context).remove_task(task)
    print(f"{task} is being stopped; its service replaces it")


@app.command("logs", epilog=example("gbnt task logs shop-web-1 -f", "gbnt task logs shop-web-1 --previous"))
def logs(
    task: Reference,
    follow: FollowOption = False,
    tail: TailOption = None,
    since: SinceOption = "",
    previous: PreviousOption = False,
    timestamps: TimestampsOption = False,
    context: ContextOption = "",
) -> None:
    """Print the output of one task."""
    print_logs(connect(context).task_logs(task, log_query(follow, tail, since, previous)), timestamps=timestamps)
