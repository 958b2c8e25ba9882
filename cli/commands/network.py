"""`gbnt network`: the networks of stacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from cli.connect import connect, context_option
from cli.filters import Filter, has, is_
from cli.group import example, group
from cli.output import Output, list_options, output_option, show_list, show_value
from cli.table import Column, column

if TYPE_CHECKING:
    from portal.provision_rows import Attached, NetworkRow

app = group("See the networks of stacks, and who is on them. Deploys make them, and they go with their stack.")

COLUMNS: tuple[Column[NetworkRow], ...] = (
    column("NAME", "name"),
    column("STACK", "stack"),
    column("DRIVER", "driver"),
    column("SUBNET", "subnet"),
    column("NODES", "nodes", flexible=True),
    Column("TASKS", lambda row: len(row["tasks"])),
    Column("NOTE", lambda row: _note(row["external"], row["internal"])),
)
MORE: tuple[Column[NetworkRow], ...] = (
    column("KEY", "key"),
    column("GATEWAY", "gateway"),
    column("ON IT", "tasks", flexible=True),
)
FILTERS: Mapping[str, Filter[NetworkRow]] = {"name": has("name"), "stack": is_("stack"), "driver": is_("driver")}


@app.command("ls", epilog=example("gbnt network ls", "gbnt network ls --stack shop"))
@click.option("--stack", metavar="STACK", default="", help="Only those of this stack.")
@context_option
@list_options(FILTERS)
def ls(stack: str, context: str, output: Output, no_trunc: bool) -> None:
    """List networks, the machines that have them, and how many tasks are on each."""
    client = connect(context)
    rows = client.networks(stack)
    if stack and not rows:
        client.stack(stack)  # which says where there is none of that name
    show_list(rows, COLUMNS, output, more=MORE, no_trunc=no_trunc, empty="no networks")


@app.command(
    "inspect", epilog=example("gbnt network inspect shop_default", "gbnt network inspect shop_default -o json")
)
@click.argument("network")
@context_option
@output_option("yaml")
def inspect(network: str, context: str, output: Output) -> None:
    """Print all that is known of a network, with the addresses of the tasks on it."""
    found = connect(context).network(network)
    if output.is_table:
        columns: tuple[Column[Attached], ...] = (
            column("TASK", "task"),
            column("NODE", "node"),
            column("ADDRESS", "address"),
        )
        show_list(found["attached"], columns, output, empty=f"no task is on {network}")
    else:
        show_value(found, output)


def _note(external: bool, internal: bool | None) -> str:
    if external:
        return "not made by gbnt"
    return "has no way out" if internal else ""
