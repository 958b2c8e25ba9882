"""`gbnt node`: the machines of the cluster."""

from __future__ import annotations

from cli.connect import connect, context_option
from cli.group import example, group
from cli.output import Output, list_options, show_list
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
    Column("NOTE", lambda row: "" if row["message"] == row["status"] else row["message"], flexible=True),
)


@app.command("ls", epilog=example("gbnt node ls"))
@context_option
@list_options
def ls(context: str, output: Output, no_trunc: bool) -> None:
    """List the machines, and how each of them is."""
    show_list(connect(context).nodes(), COLUMNS, output, no_trunc=no_trunc, empty="no node has reported yet")
