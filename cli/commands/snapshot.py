"""`gbnt snapshot`: the cluster's state, kept aside."""

from __future__ import annotations

import time

from cli.connect import ContextOption, connect
from cli.group import example, group
from cli.output import NoTruncOption, Output, OutputOption, show_list
from cli.table import Column, column
from cli.words import age, size

app = group("Make, list and restore snapshots of the cluster's state.")


@app.command("create", epilog=example("gbnt snapshot create"))
def create(context: ContextOption = "") -> None:
    """Make a snapshot now, beside those that the manager makes on its own."""
    print(connect(context).create_snapshot()["name"])


@app.command("ls", epilog=example("gbnt snapshot ls"))
def ls(context: ContextOption = "", output: OutputOption = Output.TABLE, no_trunc: NoTruncOption = False) -> None:
    """List the snapshots, newest first."""
    now = time.time()
    columns = (
        column("NAME", "name"),
        column("REVISION", "revision"),
        Column("SIZE", lambda row: size(row["size"])),
        Column("MADE", lambda row: age(row["created_at"], now)),
    )
    show_list(connect(context).snapshots(), columns, output, no_trunc=no_trunc, empty="no snapshots yet")


@app.command("confirm", epilog=example("gbnt snapshot confirm"))
def confirm(context: ContextOption = "") -> None:
    """After a restore: let containers go that the restored state does not know.

    `gbnt node ls -o json` lists them as `held` until then.
    """
    connect(context).release_held()
    print("containers that this state does not know are removed from now on")
