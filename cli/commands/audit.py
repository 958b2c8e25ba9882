"""`gbnt audit`: who did what, from where, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from cli.connect import connect, context_option
from cli.filters import Filter, has, is_
from cli.group import example, single
from cli.kinds import Moment, Whole
from cli.output import Output, list_options, show_list
from cli.table import Column, column
from cli.words import clock_time

if TYPE_CHECKING:
    from cli.client import Client
    from portal.access_rows import AuditRow

PAGE = 1_000
COLUMNS: tuple[Column[AuditRow], ...] = (
    Column("TIME", lambda row: clock_time(row["at"])),
    Column("WHO", lambda row: _who(row)),
    column("FROM", "address"),
    column("ACTION", "action"),
    column("SUBJECT", "subject", flexible=True),
    column("OUTCOME", "outcome"),
    column("MESSAGE", "message", flexible=True),
)
MORE: tuple[Column[AuditRow], ...] = (
    column("ROLE", "role"),
    column("TOKEN", "token"),
    column("REQUEST", "request"),
    column("REVISION", "revision"),
)
FILTERS: Mapping[str, Filter[AuditRow]] = {
    "who": is_("who"),
    "role": is_("role", ("open", "viewer", "operator", "admin")),
    "address": has("address"),
    "action": has("action"),
    "subject": has("subject"),
    "outcome": is_("outcome"),
}


@single(
    epilog=example("gbnt audit --since 1h", "gbnt audit --who ci --action 'stacks.*'", "gbnt audit --outcome forbidden")
)
@click.option("--who", metavar="NAME", default="", help="By the token of this name, or `root`.")
@click.option("--action", metavar="ACTION", default="", help="Of this action; stars are any, as `stacks.*`.")
@click.option("--outcome", metavar="WORD", default="", help="With this outcome: done, begun, failed, forbidden …")
@click.option("--since", metavar="TIME", type=Moment(), help="From then on: 10m ago, or a date and time.")
@click.option("--limit", "-n", metavar="N", type=Whole(1), default=100, show_default=True, help="At most the newest N.")
@context_option
@list_options(FILTERS)
def app(
    who: str, action: str, outcome: str, since: float | None, limit: int, context: str, output: Output, no_trunc: bool
) -> None:
    """Print who changed what, and who was refused, oldest first. It is for admins."""
    wanted: dict[str, str | int | None] = {
        "who": who,
        "action": action,
        "outcome": outcome,
        "since": None if since is None else str(since),
        "limit": limit,
    }
    rows = _chosen(connect(context, socket_first=True), wanted, limit, output)
    empty = "nothing that is asked for is in the audit"
    show_list(rows[::-1], COLUMNS, output, more=MORE, no_trunc=no_trunc, empty=empty, key="number")


def _chosen(client: Client, wanted: Mapping[str, str | int | None], limit: int, output: Output) -> Sequence[AuditRow]:
    """The newest that are as the filters say, read page by page until there are enough."""
    if output.wanted is None:
        return client.audit(wanted)
    page = client.audit({**wanted, "limit": PAGE})
    found = list(output.chosen(page))
    while len(page) == PAGE and len(found) < limit:
        page = client.audit({**wanted, "limit": PAGE, "before": page[-1]["number"]})
        found += output.chosen(page)
    return found[:limit]


def _who(row: AuditRow) -> str:
    """A token's name; of a machine or a stranger, who has none, that it is one."""
    return str(row["who"]) or ("a stranger" if row["action"] == "sign-in" else "a machine")
