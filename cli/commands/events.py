"""`gbnt events`: what changed in the cluster, in order."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from cli.connect import ContextOption, connect
from cli.group import example, single
from cli.output import NoTruncOption, Output, OutputOption, show_list
from cli.table import Column, Row, column, printable
from cli.words import clock_time

app = single()

COLUMNS = (
    column("REVISION", "revision"),
    Column("TIME", lambda row: clock_time(row["at"])),
    column("KIND", "kind"),
    column("SUBJECT", "subject"),
    column("MESSAGE", "message", flexible=True),
)


@app.command(epilog=example("gbnt events -n 20", "gbnt events -f -o json"))
def events(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with each event as it happens.")] = False,
    after: Annotated[
        int | None, typer.Option("--after", metavar="REVISION", help="Only later ones.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most this many, the newest.")] = 100,
    context: ContextOption = "",
    output: OutputOption = Output.TABLE,
    no_trunc: NoTruncOption = False,
) -> None:
    """Print what changed, oldest first. With --follow, JSON is one object a line."""
    client = connect(context)
    if not follow:
        known = client.events(after, limit)
        show_list(known, COLUMNS, output, no_trunc=no_trunc, empty="nothing has happened yet")
        return
    try:
        for row in client.follow_events(after, limit):
            print(_line(row) if output is Output.TABLE else json.dumps(row, ensure_ascii=False), flush=True)
    except KeyboardInterrupt:
        return


def _line(row: Row) -> str:
    return printable(f"{clock_time(row['at'])}  {row['kind']}  {row['subject']}  {row['message']}")
