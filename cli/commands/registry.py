"""`gbnt registry`: sign-ins to registries, by which every node pulls images."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from cli.connect import connect, context_option
from cli.errors import BadInput
from cli.filters import Filter, has, is_
from cli.group import example, group
from cli.output import Output, list_options, show_list
from cli.passwords import sign_in_as
from cli.table import Column, column
from cli.words import age

if TYPE_CHECKING:
    from portal.access_rows import RegistryRow

app = group("Sign in to registries, by which every node pulls images.")

FILTERS: Mapping[str, Filter[RegistryRow]] = {
    "registry": has("registry"),
    "username": is_("username"),
    "stack": is_("stack"),
}

server_argument = click.argument("server", metavar="[SERVER]", default="")


@app.command(
    "login",
    epilog=example(
        "gbnt registry login registry.example:5000",
        "gbnt registry login ghcr.io --username robot --password-stdin < token",
    ),
)
@server_argument
@click.option("--username", "-u", metavar="NAME", default="", help="Who signs in. On a terminal it is asked for.")
@click.option("--password-stdin", is_flag=True, help="Read the password, or a token, from the standard input.")
@context_option
def login(server: str, username: str, password_stdin: bool, context: str) -> None:
    """Sign the cluster in to a registry; without SERVER to Docker's own, docker.io.

    The registry is asked first, by the manager. The password is kept sealed, and lent to a node for a pull alone. This
    sign-in counts before those that come with deploys.
    """
    registry = _registry(server)
    name, password = sign_in_as(registry, username, from_input=password_stdin)
    connect(context, socket_first=True).sign_in(registry, name, password)
    print(f"signed in to {registry} as {name}: every node pulls by it")


@app.command("logout", epilog=example("gbnt registry logout registry.example:5000"))
@server_argument
@context_option
def logout(server: str, context: str) -> None:
    """Forget every sign-in to a registry, those that came with deploys too. What runs goes on."""
    registry = _registry(server)
    connect(context, socket_first=True).sign_out(registry)
    print(f"signed out of {registry}: what has to be pulled from there is asked for without a name")


@app.command("ls", epilog=example("gbnt registry ls", "gbnt registry ls -o json"))
@context_option
@list_options(FILTERS)
def ls(context: str, output: Output, no_trunc: bool) -> None:
    """List who is signed in where, without passwords."""
    now = time.time()
    columns: tuple[Column[RegistryRow], ...] = (
        column("REGISTRY", "registry", flexible=True),
        column("USER", "username", flexible=True),
        Column("FOR", lambda row: f"stack {row['stack']}" if row["stack"] else "all stacks"),
        Column("SINCE", lambda row: age(row["updated_at"], now)),
    )
    empty = "nobody is signed in; `gbnt registry login SERVER` signs the cluster in"
    show_list(connect(context).registries(), columns, output, no_trunc=no_trunc, empty=empty)


def _registry(server: str) -> str:
    from cluster.registries import HUB, registry_named  # which help has no use for

    registry = registry_named(server or HUB)
    if not registry:
        raise BadInput(f'"{server}" names no registry: give its host, as in registry.example:5000')
    return registry
