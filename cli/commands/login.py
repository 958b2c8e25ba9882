"""`gbnt login`: signs a user in, and writes the context by which commands go on as that user."""

from __future__ import annotations

import click

from cli.connect import context_option
from cli.group import example, single
from cli.words import duration


@single(
    epilog=example(
        "gbnt login --server https://192.0.2.1:4000 --username vera",
        "gbnt login --server 192.0.2.1 --ca-fingerprint 9F86D081... -u vera --password-stdin < password",
        "gbnt login",
    )
)
@click.option("--server", metavar="URL", default="", help="Where a manager's API answers. [that of the context]")
@click.option("--username", "-u", metavar="NAME", default="", help="Who signs in. On a terminal it is asked for.")
@click.option("--password-stdin", is_flag=True, help="Read the password from the standard input.")
@click.option("--ca-fingerprint", metavar="SHA256", default="", help="Which authority the server must have.")
@click.option("--certificate-authority", "authority", metavar="FILE", default="", help="That authority itself, PEM.")
@click.option("--ttl", metavar="TIME", default="12h", show_default=True, help="When the session ends; 30d at most.")
@click.option("--as", "name", metavar="NAME", default="", help="What to call the context. [USER@CLUSTER]")
@context_option
def app(
    server: str,
    username: str,
    password_stdin: bool,
    ca_fingerprint: str,
    authority: str,
    ttl: str,
    name: str,
    context: str,
) -> None:
    """Sign in to a cluster as a user; commands go there, as that user, from then on.

    Without --server it is the cluster of the context. The authority of a server that no context knows is shown on a
    terminal, to be compared, and pinned; a script names it by --ca-fingerprint or --certificate-authority. Images are
    pulled by `gbnt registry login`.
    """
    from cli import login
    from cli.passwords import sign_in_as

    seconds = duration(ttl)
    place = login.place(server, authority, ca_fingerprint, context)
    user, password = sign_in_as(place.server, username, from_input=password_stdin)
    login.sign_in(place, user, password, seconds, name)
