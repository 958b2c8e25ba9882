"""`gbnt actor`: the supervised parts that the manager is made of."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from cli.actor_tree import drawn
from cli.connect import connect, context_option
from cli.filters import Filter, has, is_
from cli.group import example, group
from cli.output import Output, list_options, output_option, show_list, show_value
from cli.table import Column, column
from cli.words import age

if TYPE_CHECKING:
    from portal.shapes import ActorRow

app = group("See the supervised parts of the manager itself.")

FILTERS: Mapping[str, Filter[ActorRow]] = {"address": has("address"), "kind": is_("kind"), "state": is_("state")}
MORE: tuple[Column[ActorRow], ...] = (
    column("INCARNATION", "incarnation"),
    Column("CHILDREN", lambda row: len(row["children"])),
    Column("FAILED", lambda row: age(row["last_failure_at"], time.time())),
)


@app.command("ls", epilog=example("gbnt actor ls"))
@context_option
@list_options(FILTERS)
def ls(context: str, output: Output, no_trunc: bool) -> None:
    """List every actor: its mailbox, what it handled, and how often it was restarted."""
    now = time.time()
    columns: tuple[Column[ActorRow], ...] = (
        column("ADDRESS", "address", flexible=True, keeps_end=True),
        column("KIND", "kind", flexible=True),
        column("STATE", "state"),
        Column("MAILBOX", lambda row: f"{row['mailbox']}/{row['capacity']}"),
        column("HANDLED", "processed"),
        column("RESTARTS", "restarts"),
        Column("SINCE", lambda row: age(row["started_at"], now)),
        column("LAST FAILURE", "last_failure", flexible=True),
    )
    show_list(connect(context).actors(), columns, output, more=MORE, no_trunc=no_trunc, empty="no actors")


@app.command("tree", epilog=example("gbnt actor tree"))
@context_option
def tree(context: str) -> None:
    """Draw the tree of supervision, with restarts and last failures."""
    print("\n".join(drawn(connect(context).actors(), time.time())))


@app.command("inspect", epilog=example("gbnt actor inspect senate"))
@click.argument("path")
@context_option
@output_option("yaml")
def inspect(path: str, context: str, output: Output) -> None:
    """Print all that one actor says of itself."""
    show_value(connect(context).actor(path), output)
