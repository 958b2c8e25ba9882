"""`gbnt dns`: the names that containers find each other by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from cli.connect import connect, context_option
from cli.filters import Filter, is_
from cli.group import example, group
from cli.output import Output, list_options, show_list
from cli.table import Column, column

if TYPE_CHECKING:
    from portal.name_rows import NameRow

app = group("See what the names answer with that containers find each other by.")

COLUMNS: tuple[Column[NameRow], ...] = (
    column("NETWORK", "network"),
    column("TASK", "task"),
    column("NODE", "node"),
    column("ADDRESS", "address"),
    Column("ANSWERED", lambda row: "yes" if row["answers"] else "no"),
    column("NOTE", "why", flexible=True),
)
MORE: tuple[Column[NameRow], ...] = (column("ID", "id"),)
FILTERS: Mapping[str, Filter[NameRow]] = {"network": is_("network"), "node": is_("node"), "task": is_("task")}


@app.command("query", epilog=example("gbnt dns query web.shop", "gbnt dns query rome-1.gbnt"))
@click.argument("name")
@context_option
@list_options(FILTERS)
def query(name: str, context: str, output: Output, no_trunc: bool) -> None:
    """Say what a name means on each network, and why a replica is in no answer.

    It is the cluster that is asked, for all of its resolvers answer by what that knows; no container is.
    """
    rows = connect(context).meanings(name)
    show_list(rows, COLUMNS, output, more=MORE, no_trunc=no_trunc, empty=f"{name} has no replica", key="address")
