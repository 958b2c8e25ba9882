"""`gbnt token`: the credentials of the API."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from cli.connect import connect, context_option
from cli.filters import Filter, begins, has, is_
from cli.group import example, group
from cli.kinds import OneOf
from cli.output import Output, list_options, show_list
from cli.table import Column, column
from cli.words import age, countdown, duration, span

if TYPE_CHECKING:
    from cli.client.access import Role
    from portal.access_rows import TokenRow

app = group("Make and revoke credentials. On the manager's own machine its owner needs none to do so.")

# What a credential may do: all; all but credentials and restores; read.
ROLES: tuple[Role, ...] = ("admin", "operator", "viewer")
FILTERS: Mapping[str, Filter[TokenRow]] = {
    "name": has("name"),
    "id": begins("id"),
    "role": is_("role", ROLES),
    "user": is_("user"),
}


@app.command("create", epilog=example("gbnt token create ci --role operator --ttl 90d"))
@click.argument("name", help="What it is for.")
@click.option("--role", type=OneOf(ROLES), default="operator", show_default=True, help="What it may do.")
@click.option("--ttl", metavar="TIME", default="", help="How long it is good for; none: for ever.")
@context_option
def create(name: str, role: Role, ttl: str, context: str) -> None:
    """Make a credential and print its secret, which nobody can be shown again."""
    made = connect(context, socket_first=True).create_token(name, role, duration(ttl) if ttl else None)
    print(made["token"])
    print("keep it now: it is not shown again", file=sys.stderr)


@app.command("ls", epilog=example("gbnt token ls"))
@context_option
@list_options(FILTERS)
def ls(context: str, output: Output, no_trunc: bool) -> None:
    """List the credentials, without their secrets; those of a user are sessions."""
    now = time.time()
    columns: tuple[Column[TokenRow], ...] = (
        column("ID", "id"),
        column("NAME", "name", flexible=True),
        column("ROLE", "role"),
        column("USER", "user"),
        Column("CREATED", lambda row: age(row["created_at"], now)),
        Column(
            "EXPIRES", lambda row: f"in {span(countdown(row['expires_at'], now))}" if row["expires_at"] else "never"
        ),
        Column("LAST USED", lambda row: age(row["used_at"], now)),
    )
    rows = connect(context, socket_first=True).tokens()
    show_list(rows, columns, output, no_trunc=no_trunc, empty="no tokens")


@app.command("rm", epilog=example("gbnt token rm 4f9a2c11", "gbnt token rm ci"))
@click.argument("token", metavar="TOKEN-ID")
@context_option
def rm(token: str, context: str) -> None:
    """Make a credential worthless, at once. It is called by its id, the beginning of one, or its name."""
    changes = connect(context, socket_first=True).revoke_token(token)["changes"]
    print(f"{next(iter(changes), token)} is worthless from now on")
