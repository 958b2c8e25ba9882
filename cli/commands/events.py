"""`gbnt events`: what changed in the cluster, in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from cli.connect import connect, context_option
from cli.errors import BadInput
from cli.filters import Filter, has, is_
from cli.group import example, single
from cli.kinds import Whole
from cli.output import Output, list_options, show_line, show_list
from cli.table import Column, column, printable
from cli.words import clock_time

if TYPE_CHECKING:
    from portal.shapes import EventRow

COLUMNS: tuple[Column[EventRow], ...] = (
    column("REVISION", "revision"),
    Column("TIME", lambda row: clock_time(row["at"])),
    column("KIND", "kind"),
    column("SUBJECT", "subject", flexible=True),
    column("MESSAGE", "message", flexible=True),
)
FILTERS: Mapping[str, Filter[EventRow]] = {"kind": is_("kind"), "subject": has("subject"), "message": has("message")}


@single(epilog=example("gbnt events -n 20", "gbnt events -f -o json", "gbnt events --filter subject=shop/web"))
@click.option("--follow", "-f", is_flag=True, help="Go on with each event as it happens.")
@click.option("--after", metavar="REVISION", type=Whole(), help="Only later ones.")
@click.option(
    "--limit",
    "-n",
    metavar="N",
    type=Whole(1),
    default=100,
    show_default=True,
    help="At most this many: the newest, or the first after --after.",
)
@context_option
@list_options(FILTERS, short_filter=False)
def app(follow: bool, after: int | None, limit: int, context: str, output: Output, no_trunc: bool) -> None:
    """Print what changed, oldest first. With --follow, JSON is one object a line."""
    if follow and output.form == "yaml":
        raise BadInput("what is followed has no end, and YAML is one document: -o json prints an object a line")
    client = connect(context)
    if not follow:
        from cli.event_stream import chosen_events

        wanted = output.wanted
        known = client.events(after, limit) if wanted is None else chosen_events(client, after, limit, wanted)
        empty = "nothing has happened yet" if after is None else f"nothing has happened after revision {after}"
        empty = empty if wanted is None else "none of them is as the filters say"
        show_list(known, COLUMNS, output, no_trunc=no_trunc, empty=empty, key="revision")
        return
    from cli.event_stream import follow_events

    try:
        for row in follow_events(client, after, limit):
            show_line(row, output, _line, "revision", COLUMNS)
    except KeyboardInterrupt:
        return


def _line(row: EventRow) -> str:
    return printable(f"{clock_time(row['at'])}  {row['kind']}  {row['subject']}  {row['message']}")
