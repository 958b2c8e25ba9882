"""`gbnt node`: the machines of the cluster."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal, get_args

import click

from cli.connect import connect, context_option
from cli.each import change_each
from cli.errors import BadInput, CliError, NotFound
from cli.filters import Filter, begins, has, is_, labelled
from cli.group import example, group
from cli.kinds import OneOf
from cli.listing import TASK_FILTERS, show_tasks
from cli.output import Output, list_options, output_option, show_list, show_value, terminal_width
from cli.sheet import gpus, labels, note_of, sheet
from cli.table import Column, column
from cli.waiting import Waiting, waiting_options
from cli.words import size

if TYPE_CHECKING:
    from cli.client import Client
    from cli.client.nodes import NodeRole
    from portal.shapes import LeaverRow, NodeRow

app = group("See the machines, say what they are for, and take them out. Each is called by its name or id.")

Availability = Literal["active", "pause", "drain", "maintenance"]
STATUSES = ("starting", "ready", "unavailable", "returning", "down")
EMPTIED = ("drain", "maintenance")

COLUMNS: tuple[Column[NodeRow], ...] = (
    column("NAME", "name"),
    column("ROLE", "role"),
    column("STATUS", "status"),
    column("AVAILABILITY", "availability"),
    column("ADDRESS", "address"),
    column("TASKS", "tasks"),
    column("CPUS", "cpus"),
    Column("MEMORY", lambda row: size(row["memory"]) if row["memory"] else ""),
    column("ENGINE", "engine_version"),
    Column("NOTE", lambda row: note_of(row), flexible=True),
)
MORE: tuple[Column[NodeRow], ...] = (
    Column("DISK", lambda row: "unknown" if row["disk"]["free"] is None else f"{size(row['disk']['free'])} free"),
    Column("GPUS", lambda row: gpus(row["gpus"])),
    column("ID", "id"),
    column("RELEASE", "version"),
    Column("LABELS", lambda row: labels(row["labels"]), flexible=True),
)

FILTERS: Mapping[str, Filter[NodeRow]] = {
    "name": has("name"),
    "id": begins("id"),
    "role": is_("role", ("manager", "worker")),
    "status": is_("status", STATUSES),
    "availability": is_("availability", get_args(Availability)),
    "label": labelled(),
}

nodes_argument = click.argument("nodes", metavar="NODE...", nargs=-1, required=True)


@app.command(
    "ls", epilog=example("gbnt node ls", "gbnt node ls -o wide", "gbnt node ls --filter role=worker --filter label=ssd")
)
@context_option
@list_options(FILTERS)
def ls(context: str, output: Output, no_trunc: bool) -> None:
    """List the machines, and how each of them is; `-o wide` with their disks, GPUs, ids, releases and labels."""
    client = connect(context)
    show_list(client.nodes(), COLUMNS, output, more=MORE, no_trunc=no_trunc, empty="no node has reported yet")
    if alarm := client.cluster()["alarm"]:
        print(f"alarm: {alarm}", file=sys.stderr)


@app.command("ps", epilog=example("gbnt node ps gaul", "gbnt node ps"))
@click.argument("nodes", metavar="[NODE...]", nargs=-1)
@context_option
@list_options(TASK_FILTERS)
def ps(nodes: tuple[str, ...], context: str, output: Output, no_trunc: bool) -> None:
    """List the tasks on machines; on all of them where none is named."""
    client = connect(context)
    tasks = [task for node in nodes or ("",) for task in client.tasks(node=node)]
    if not nodes:
        tasks.sort(key=lambda task: str(task["node"]))
    show_tasks(tasks, output, no_trunc=no_trunc, empty="no tasks", past=False)


@app.command("inspect", epilog=example("gbnt node inspect gaul", "gbnt node inspect gaul iberia -o json"))
@nodes_argument
@context_option
@output_option("table")
def inspect(nodes: tuple[str, ...], context: str, output: Output) -> None:
    """Print all that is known of machines, and what runs there. As JSON and YAML several of them are a list."""
    client = connect(context)
    found = [(client.node(node), client.tasks(node=node)) for node in nodes]
    if output.is_table:
        print("\n\n".join(sheet(node, tasks, time.time(), terminal_width()) for node, tasks in found))
        return
    rows = [{**node, "tasks_there": tasks} for node, tasks in found]
    show_value(rows if len(rows) > 1 else rows[0], output)


@app.command(
    "update",
    epilog=example(
        "gbnt node update gaul --availability drain",
        "gbnt node update gaul iberia --label-add gpu=nvidia --label-rm disk",
    ),
)
@nodes_argument
@click.option(
    "--availability",
    type=OneOf(get_args(Availability)),
    help="active: gets tasks; pause: keeps its tasks and gets no new ones; drain, maintenance: is emptied.",
)
@click.option("--label-add", metavar="NAME=VALUE", multiple=True, help="Give it a label, or another value of one.")
@click.option("--label-rm", metavar="NAME", multiple=True, help="Take a label away.")
@waiting_options(by_default=True)
@context_option
def update(
    nodes: tuple[str, ...],
    availability: Availability | None,
    label_add: tuple[str, ...],
    label_rm: tuple[str, ...],
    waiting: Waiting,
    context: str,
) -> None:
    """Say what machines are for, and label them. Of those that are to be emptied, it waits until they are.

    Tasks move one by one, the new one first where the two can run side by side.
    """
    changed: dict[str, str | None] = dict(map(_label, label_add))
    if both := changed.keys() & set(label_rm):
        raise BadInput(f"the label {', '.join(sorted(both))} is to be added and taken away: choose one")
    changed |= dict.fromkeys(label_rm)
    if not availability and not changed:
        raise BadInput("say what to change: --availability, --label-add or --label-rm")
    client = connect(context)
    each = change_each(client, nodes, partial(client.update_node, availability=availability or "", labels=changed))
    if availability in EMPTIED and waiting.wanted and each.names:
        _await_empty(client, each.names, waiting.timeout)
    each.check()


@app.command("promote", epilog=example("gbnt node promote gaul"))
@nodes_argument
@context_option
def promote(nodes: tuple[str, ...], context: str) -> None:
    """Make workers managers by role, for `node.role` in placement and their certificates.

    They do not vote yet: in this release one manager serves.
    """
    _change_role(nodes, "manager", context)


@app.command("demote", epilog=example("gbnt node demote gaul"))
@nodes_argument
@context_option
def demote(nodes: tuple[str, ...], context: str) -> None:
    """Make managers workers again; the one that serves stays one."""
    _change_role(nodes, "worker", context)


@app.command("rm", epilog=example("gbnt node rm gaul", "gbnt node rm gaul --force"))
@nodes_argument
@click.option(
    "--force", is_flag=True, help="Though it lives, or has tasks (they are replaced) or data (that is given up)."
)
@context_option
def rm(nodes: tuple[str, ...], force: bool, context: str) -> None:
    """Take machines out that are down, empty and without data. `gbnt legion leave` on a machine is the tidy way.

    Its certificate is good no more, and its volumes stay on it.
    """
    client = connect(context)
    change_each(client, nodes, partial(client.remove_node, force=force)).check()


def _change_role(nodes: Sequence[str], role: NodeRole, context: str) -> None:
    client = connect(context)
    change_each(client, nodes, partial(client.update_node, role=role)).check()


def _await_empty(client: Client, names: Mapping[str, str], timeout: float | None) -> None:
    from cli.emptying import wait_until_empty

    look = f"gbnt node {'inspect' if len(names) == 1 else 'ps'} {' '.join(names.values())}"
    words = f"what was asked for goes on: `{look}` shows it"
    wait_until_empty(partial(_remaining, client, names), words, timeout)
    for name in names.values():
        print(f"{name}: is empty")


def _label(text: str) -> tuple[str, str | None]:
    name, _, value = text.partition("=")
    if not name:
        raise BadInput(f'"{text}" is no label: write it as NAME=VALUE, as in gpu=nvidia')
    return name, value


def _remaining(client: Client, names: Mapping[str, str]) -> list[LeaverRow]:
    """What has not left these machines yet."""
    left: list[LeaverRow] = []
    for id, name in names.items():
        try:
            node = client.node(id)
        except NotFound:
            raise CliError(f"{name} was removed meanwhile: what it ran is replaced elsewhere") from None
        if node["availability"] not in EMPTIED:
            raise CliError(f"{node['name']} is {node['availability']} again: somebody took it back, and its tasks stay")
        left += node["leaving"]
    return left
