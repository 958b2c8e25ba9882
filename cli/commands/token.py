"""`gbnt token`: the credentials of the API."""

from __future__ import annotations

import sys
import time
from enum import StrEnum
from typing import Annotated

import typer

from cli.connect import ContextOption, connect
from cli.group import example, group
from cli.output import NoTruncOption, Output, OutputOption, show_list
from cli.table import Column, column
from cli.words import age, countdown, duration, span

app = group("Make and revoke credentials. On the manager's own machine its owner needs none to do so.")


class Role(StrEnum):
    """What a credential may do: all; all but credentials and restores; read."""

    ADMIN = "admin"
    OPERATOR = "operator"
    VIEWER = "viewer"


@app.command("create", epilog=example("gbnt token create ci --role operator --ttl 90d"))
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for.", show_default=False)],
    role: Annotated[Role, typer.Option("--role", help="What it may do.")] = Role.OPERATOR,
    ttl: Annotated[str, typer.Option("--ttl", metavar="TIME", help="How long it is good for; none: for ever.")] = "",
    context: ContextOption = "",
) -> None:
    """Make a credential and print its secret, which nobody can be shown again."""
    made = connect(context, socket_first=True).create_token(name, role.value, duration(ttl) if ttl else None)
    print(made["token"])
    print("keep it now: it is not shown again", file=sys.stderr)


@app.command("ls", epilog=example("gbnt token ls"))
def ls(context: ContextOption = "", output: OutputOption = Output.TABLE, no_trunc: NoTruncOption = False) -> None:
    """List the credentials, without their secrets."""
    now = time.time()
    columns = (
        column("ID", "id"),
        column("NAME", "name", flexible=True),
        column("ROLE", "role"),
        Column("CREATED", lambda row: age(row["created_at"], now)),
        Column(
            "EXPIRES", lambda row: f"in {span(countdown(row['expires_at'], now))}" if row["expires_at"] else "never"
        ),
        Column("LAST USED", lambda row: age(row["used_at"], now)),
    )
    rows = connect(context, socket_first=True).tokens()
    show_list(rows, columns, output, no_trunc=no_trunc, empty="no tokens")


@app.command("rm", epilog=example("gbnt token rm 4f9a2c"))
def rm(
    token: Annotated[str, typer.Argument(metavar="ID", show_default=False)],
    context: ContextOption = "",
) -> None:
    """Make a credential worthless, at once."""
    connect(context, socket_first=True).revoke_token(token)
    print(f"{token} is worthless from now on")
