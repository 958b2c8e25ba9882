"""`gbnt user`: the people who sign in, and what they may do."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from cli.connect import connect, context_option
from cli.errors import BadInput
from cli.filters import Filter, has, is_
from cli.group import example, group
from cli.kinds import OneOf
from cli.output import Output, list_options, output_option, show_list, show_value
from cli.passwords import another_password, new_password
from cli.table import Column, column
from cli.words import age, said

if TYPE_CHECKING:
    from cli.client.access import Role
    from portal.access_rows import UserRow
    from portal.shapes import Changed

app = group(
    "See the people who sign in, and say what they may do. On the manager's own machine its owner needs no login."
)

ROLES: tuple[Role, ...] = ("admin", "operator", "viewer")
STATES = ("enabled", "disabled")

user_argument = click.argument("name", metavar="USER")
stdin_option = click.option("--password-stdin", is_flag=True, help="Read the password from the standard input.")


def _state(row: UserRow) -> str:
    return "disabled" if row["disabled"] else "enabled"


FILTERS: Mapping[str, Filter[UserRow]] = {
    "name": has("name"),
    "role": is_("role", ROLES),
    "state": Filter(lambda row, text: text == _state(row), STATES),
}


@app.command(
    "create",
    epilog=example(
        "gbnt user create vera --role operator",
        "gbnt user create vera --role viewer --generate",
        "gbnt user create vera --role operator --password-stdin < password",
    ),
)
@click.argument("name", metavar="NAME")
@click.option("--role", type=OneOf(ROLES), default="operator", show_default=True, help="What the user may do.")
@stdin_option
@click.option("--generate", is_flag=True, help="Make a password, and print it once.")
@context_option
def create(name: str, role: Role, password_stdin: bool, generate: bool, context: str) -> None:
    """Take in a user, who signs in by `gbnt login`. On a terminal the password is asked for."""
    chosen = new_password(from_input=password_stdin, generate=generate)
    connect(context, socket_first=True).create_user(name, role, chosen.password)
    chosen.tell()
    print(f"{name} may sign in now, as {_article(role)}", file=sys.stderr)


@app.command("ls", epilog=example("gbnt user ls", "gbnt user ls --filter role=admin -o json"))
@context_option
@list_options(FILTERS)
def ls(context: str, output: Output, no_trunc: bool) -> None:
    """List the users, and how often each is signed in."""
    now = time.time()
    columns: tuple[Column[UserRow], ...] = (
        column("NAME", "name", flexible=True),
        column("ROLE", "role"),
        Column("STATE", _state),
        column("SESSIONS", "sessions"),
        Column("CREATED", lambda row: age(row["created_at"], now)),
        Column("PASSWORD SET", lambda row: age(row["changed_at"], now)),
    )
    empty = "no users; `gbnt user create NAME --role operator` takes one in"
    show_list(connect(context, socket_first=True).users(), columns, output, no_trunc=no_trunc, empty=empty)


@app.command("inspect", epilog=example("gbnt user inspect vera"))
@user_argument
@context_option
@output_option("yaml")
def inspect(name: str, context: str, output: Output) -> None:
    """Print all that is known of a user. Of the password that is when it was set."""
    show_value(connect(context, socket_first=True).user(name), output)


@app.command("update", epilog=example("gbnt user update vera --role viewer", "gbnt user update vera --disable"))
@user_argument
@click.option("--role", type=OneOf(ROLES), default=None, help="What the user may do; less than before counts at once.")
@click.option("--disable", is_flag=True, help="Let the user sign in no more, and end all sessions.")
@click.option("--enable", is_flag=True, help="Let the user sign in again.")
@context_option
def update(name: str, role: Role | None, disable: bool, enable: bool, context: str) -> None:
    """Change what a user may do, and whether they may sign in."""
    if disable and enable:
        raise BadInput("--disable and --enable are given: choose one")
    if role is None and not (disable or enable):
        raise click.UsageError("say what to change: --role, --disable or --enable")
    disabled = disable if disable or enable else None
    _tell(name, connect(context, socket_first=True).update_user(name, {"role": role, "disabled": disabled}))


@app.command("rm", epilog=example("gbnt user rm vera"))
@user_argument
@context_option
def rm(name: str, context: str) -> None:
    """Forget a user, and end their sessions, at once. Tokens that they made stay: `gbnt token ls`."""
    _tell(name, connect(context, socket_first=True).remove_user(name))


@app.command(
    "reset-password",
    epilog=example("sudo gbnt user reset-password vera", "gbnt user reset-password vera --password-stdin < password"),
)
@user_argument
@stdin_option
@context_option
def reset_password(name: str, password_stdin: bool, context: str) -> None:
    """Give a user another password, made and printed once, and end their sessions.

    On the manager's own machine its owner needs no login for that.
    """
    chosen = new_password(from_input=password_stdin, generate=not password_stdin)
    connect(context, socket_first=True).update_user(name, {"password": chosen.password})
    chosen.tell()
    print(f"{name} has another password, and is signed in nowhere", file=sys.stderr)


@app.command("passwd", epilog=example("gbnt user passwd", "gbnt user passwd --password-stdin < passwords"))
@click.option("--password-stdin", is_flag=True, help="Read the present and the new one, a line each, from the input.")
@context_option
def passwd(password_stdin: bool, context: str) -> None:
    """Change your own password. You stay signed in here, and nowhere else."""
    current, new = another_password(from_input=password_stdin)
    connect(context).change_password(current, new)
    print("the password is changed: all other sessions have ended")


def _tell(name: str, done: Changed) -> None:
    print(said(name, done["changes"]))
    if note := done["detail"].get("note"):
        print(f"note: {note}", file=sys.stderr)


def _article(role: str) -> str:
    return f"an {role}" if role[0] in "ao" else f"a {role}"
