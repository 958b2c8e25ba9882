"""`gbnt task`: one replica of a service."""

from __future__ import annotations

import click

from cli.connect import connect, context_option
from cli.group import example, group
from cli.listing import show_tasks
from cli.logs import log_options, log_query, print_logs
from cli.output import Output, list_options, output_option, show_value

app = group("See, read and replace single tasks. A task is called by its id, the beginning of one, or its name.")


@app.command("ls", epilog=example("gbnt task ls", "gbnt task ls --stack shop --all", "gbnt task ls --node gaul"))
@click.option("--stack", metavar="STACK", default="", help="Only those of this stack.")
@click.option("--node", metavar="NODE", default="", help="Only those on this machine.")
@click.option("--all", "-a", "ended", is_flag=True, help="Those that ended too.")
@context_option
@list_options
def ls(stack: str, node: str, ended: bool, context: str, output: Output, no_trunc: bool) -> None:
    """List the tasks of all stacks, and why each is as it is."""
    client = connect(context)
    tasks = client.tasks(stack, node=node, ended=ended)
    if stack and not tasks:
        client.stack(stack)  # which says where there is none of that name
    show_tasks(tasks, output, no_trunc=no_trunc, empty="no tasks", past=False)


@app.command("inspect", epilog=example("gbnt task inspect shop-web-1"))
@click.argument("task")
@context_option
@output_option("yaml")
def inspect(task: str, context: str, output: Output) -> None:
    """Print all that is known of a task, its ended containers included."""
    show_value(connect(context).task(task), output)


@app.command("rm", epilog=example("gbnt task rm shop-web-1"))
@click.argument("task")
@context_option
def rm(task: str, context: str) -> None:
    """Stop a task's container for good. Its service starts another in its place."""
    connect(context).remove_task(task)
    print(f"{task} is being stopped; its service replaces it")


@app.command("logs", epilog=example("gbnt task logs shop-web-1 -f", "gbnt task logs shop-web-1 --previous"))
@click.argument("task")
@log_options
@context_option
def logs(task: str, follow: bool, tail: int | None, since: str, previous: bool, timestamps: bool, context: str) -> None:
    """Print the output of one task."""
    print_logs(connect(context).task_logs(task, log_query(follow, tail, since, previous)), timestamps=timestamps)
