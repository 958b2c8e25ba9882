"""`gbnt node`: the machines of the cluster."""

from __future__ import annotations

from cli.connect import ContextOption, connect
from cli.group import example, group
from cli.output import NoTruncOption, Output, OutputOption, show_list
from cli.table import Column, column
from cli.words import size

app = group("See the machines.")

COLUMNS = (
    column("NAME", "name"),
    column("ROLE", "role"),
    column("STATUS", "status"),
    column("ADDRESS", "address"),
    column("TASKS", "tasks"),
    column("CPUS", "cpus"),
    Column("MEMORY", lambda row: size(row["memory"]) if row["memory"] else ""),
    column("ENGINE", "engine_version"),
    column("NOTE", "message", flexible=True),
)


@app.command("ls", epilog=example("gbnt node ls"))
def ls(context: ContextOption = "", output: OutputOption = Output.TABLE, no_trunc: NoTruncOption = False) -> None:
    """List the machines, and how each of them is."""
    show_list(connect(context).nodes(), COLUMNS, output, no_trunc=no_trunc, empty="no node has reported yet")
