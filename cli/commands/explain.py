"""`gbnt explain`: where a task may go, and what keeps it from each machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from cli.connect import connect, context_option
from cli.errors import NotFound
from cli.group import example, single
from cli.output import Output, output_option, show_value, terminal_width
from cli.table import Row, column, printable, render

if TYPE_CHECKING:
    from cli.client import Client
    from portal.part_rows import JudgedRow, PlacementShown

WORDS = {"here": "it is here", "best": "yes, before all others", "fits": "yes", "no": "no"}
COLUMNS = (
    column("NODE", "node"),
    column("MAY GO THERE", "word"),
    column("WHY NOT", "why", flexible=True),
    column("WHAT WOULD CHANGE IT", "remedy", flexible=True),
)


@single(epilog=example("gbnt explain shop-web-1", "gbnt explain shop/web"))
@click.argument("subject", metavar="TASK|SERVICE")
@output_option()
@context_option
def app(subject: str, output: Output, context: str) -> None:
    """Say why a task is where it is, or nowhere: for each machine all that speaks against it, and what would change it.

    Of a service it says where another task of it would go.
    """
    found = _placement(connect(context), subject)
    if not output.is_table:
        show_value(found, output)
        return
    print(printable(f"{found['subject']}: {found['sentence']}"))
    if found["nodes"]:
        print("\n" + render(list(_rows(found["nodes"])), COLUMNS, terminal_width()))


def _placement(client: Client, subject: str) -> PlacementShown:
    """A task's or, for what is no task, a service's."""
    if "/" in subject:
        return client.service_placement(subject)
    try:
        return client.task_placement(subject)
    except NotFound as missing:
        try:
            return client.service_placement(client.service_key(subject))
        except NotFound:
            raise missing from None


def _rows(nodes: Iterable[JudgedRow]) -> Iterator[Row]:
    """A row for each reason, and one for a machine that nothing speaks against."""
    for node in nodes:
        shown = {"node": node["node"], "word": WORDS[node["word"]]}
        yield from ({**shown, **reason} for reason in node["reasons"])
        if not node["reasons"]:
            yield shown
