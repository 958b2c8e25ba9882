"""`gbnt task`: one replica of a service."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from cli.connect import connect, context_option
from cli.errors import BadInput
from cli.group import ends_with_a_command, example, group
from cli.listing import TASK_FILTERS, show_tasks
from cli.logs import log_options, print_logs
from cli.output import Output, list_options, output_option, show_value

if TYPE_CHECKING:
    from cli.session import Params

app = group("See, read and replace single tasks. A task is called by its id, the beginning of one, or its name.")


@app.command("ls", epilog=example("gbnt task ls", "gbnt task ls --stack shop --all", "gbnt task ls --node gaul"))
@click.option("--stack", metavar="STACK", default="", help="Only those of this stack.")
@click.option("--node", metavar="NODE", default="", help="Only those on this machine.")
@click.option("--all", "-a", "ended", is_flag=True, help="Those that ended too.")
@context_option
@list_options(TASK_FILTERS)
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
    changes = connect(context).remove_task(task)["changes"]
    print(f"{next(iter(changes), task)} is being stopped; its service replaces it")


@app.command("logs", epilog=example("gbnt task logs shop-web-1 -f", "gbnt task logs shop-web-1 --previous"))
@click.argument("task")
@log_options
@context_option
def logs(task: str, query: Params, timestamps: bool, context: str) -> None:
    """Print the output of one task."""
    print_logs(connect(context).task_logs(task, query), timestamps=timestamps)


@app.command(
    "exec",
    epilog=example("gbnt task exec -it shop-web-1 sh", "gbnt task exec shop-web-1 -- ls -l /"),
    context_settings=ends_with_a_command(),
)
@click.option("--interactive", "-i", is_flag=True, help="The command reads what is typed here, or piped into this.")
@click.option("--tty", "-t", is_flag=True, help="A terminal for the command.")
@click.option("--env", "-e", "env", metavar="NAME=VALUE", multiple=True, help="A variable; NAME alone: as it is here.")
@click.option("--user", "-u", metavar="USER", default="", help="Who runs it: a name or number, with :GROUP or not.")
@click.option("--workdir", "-w", metavar="FOLDER", default="", help="The folder to run it in.")
@context_option
@click.argument("task")
@click.argument("command", metavar="COMMAND...", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_(
    interactive: bool,
    tty: bool,
    env: tuple[str, ...],
    user: str,
    workdir: str,
    context: str,
    task: str,
    command: tuple[str, ...],
) -> None:
    """Run a command in a task's container, whichever machine it is on. Options come before the task.

    The exit status is the command's own. Ctrl-C goes to the command where it has a terminal (-it).
    """
    from cli.exec import Wanted, run

    words = command[1:] if command[0] == "--" else command
    if not words:
        raise BadInput("say what to run: gbnt task exec TASK COMMAND")
    wanted = Wanted(words, tty, interactive, dict(_variables(env)), user, workdir)
    raise click.exceptions.Exit(run(task, wanted, context))


def _variables(given: Iterable[str]) -> Iterator[tuple[str, str]]:
    for text in given:
        name, equals, value = text.partition("=")
        if not name:
            raise BadInput(f'"{text}" is not NAME=VALUE, nor a NAME')
        if equals or name in os.environ:
            yield name, value if equals else os.environ[name]
