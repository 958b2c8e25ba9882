"""`gbnt config`: the clusters that this user knows."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.connect import connect, context_option
from cli.context import Context, config_path, contexts, contexts_of, document_at, document_in, find_context
from cli.errors import BadInput, CliError, NotFound
from cli.filters import Filter, has
from cli.group import example, group
from cli.kinds import OneOf
from cli.output import Form, Output, list_options, print_document, show_list
from cli.table import Column, Row, column
from cli.words import count, did_you_mean, duration, shown_url

if TYPE_CHECKING:
    from cli.client.access import Role

app = group(
    "Choose among the clusters in ~/.gbntctl/config (or GBNTCTL_CONFIG). `gbnt stack config` prints compose files."
)

COLUMNS: tuple[Column[Row], ...] = (
    Column("CURRENT", lambda row: "*" if row["current"] else ""),
    column("NAME", "name"),
    column("SERVER", "server", flexible=True),
)
MORE: tuple[Column[Row], ...] = (column("TOKEN", "token_id"), column("AUTHORITY", "authority"))
FILTERS: Mapping[str, Filter[Row]] = {"name": has("name"), "server": has("server")}
ROLES: tuple[Role, ...] = ("viewer", "operator", "admin")
TTL = "30d"

name_argument = click.argument("name", metavar="CONTEXT")
document_option = click.option(
    "--output", "-o", "form", type=OneOf(("yaml", "json")), default="yaml", show_default=True, help="How to print it."
)


@app.command("get-contexts", epilog=example("gbnt config get-contexts", "gbnt config get-contexts -o json"))
@list_options(FILTERS)
def get_contexts(output: Output, no_trunc: bool) -> None:
    """List the contexts; the one that commands go to has a star."""
    known, current = contexts(config_path())
    rows = [_row(context, _chosen(current)) for context in known]
    empty = "no contexts; `gbnt serve` writes the first one"
    show_list(rows, COLUMNS, output, more=MORE, no_trunc=no_trunc, empty=empty)


@app.command("current-context", epilog=example("gbnt config current-context"))
def current_context() -> None:
    """Print the name of the context that commands go to: GBNT_CONTEXT, or the file's current one."""
    current = find_context(_chosen(""), config_path())
    if current is None:
        raise NotFound("there is no current context; `gbnt config use-context NAME` makes one that")
    print(current.name)


@app.command("use-context", epilog=example("gbnt config use-context rome"))
@name_argument
def use_context(name: str) -> None:
    """Make a context the current one."""
    from cli import context_changes

    context_changes.use_context(name, config_path())
    print(f'commands now go to "{name}"')
    if (given := os.environ.get("GBNT_CONTEXT", "")) not in ("", name):
        print(f'warning: GBNT_CONTEXT is "{given}", and counts before: unset it', file=sys.stderr)


@app.command(
    "set-context",
    epilog=example(
        "gbnt config set-context rome --server 192.0.2.1 --certificate-authority ca.pem --token-stdin < token",
        "gbnt config set-context rome --server https://rome.example:4000",
    ),
)
@name_argument
@click.option("--server", metavar="URL", default="", help="Where a manager's API answers; port 4000 unless it says so.")
@click.option("--certificate-authority", "authority", metavar="FILE", default="", help="The one it is trusted by, PEM.")
@click.option("--token-stdin", is_flag=True, help="Read the token from the standard input.")
@click.option("--token", metavar="TOKEN", default="", help="The token; others may see it while the command runs.")
def set_context(name: str, server: str, authority: str, token_stdin: bool, token: str) -> None:
    """Make a context, or change what is said of one. What is not given stays as it is.

    A new one needs --server; without --certificate-authority, whom this machine trusts is trusted.
    """
    from cli import context_words as words
    from cli.context_changes import add_context
    from cli.trust import trust

    if not (server or authority or token or token_stdin):
        raise BadInput("say what to set: --server, --certificate-authority or --token-stdin")
    known = {context.name: context for context in contexts(config_path())[0]}
    made = known.get(name, Context(name, "", "", ""))
    if not (name and (server or made.server)):
        raise BadInput(f'there is no context "{name}"{did_you_mean(name, known)}: a new one needs a name and --server')
    made = replace(
        made,
        name=name if name in known else words.name_of(name),
        server=words.server_of(server) if server else made.server,
        certificate_authority=words.authority_in(Path(authority)) if authority else made.certificate_authority,
        token=_token(token, token_stdin) or made.token,
    )
    trust(made)
    path = add_context(made, make_current=False)
    print(f'{"changed" if name in known else "added"} "{name}" in {path}')


@app.command("rename-context", epilog=example("gbnt config rename-context vm-1 rome"))
@click.argument("old", metavar="CONTEXT")
@click.argument("new")
def rename_context(old: str, new: str) -> None:
    """Call a context otherwise; if it is the current one it stays that."""
    from cli import context_changes
    from cli.context_words import name_of

    context_changes.rename_context(old, name_of(new), config_path())
    print(f'"{old}" is "{new}" now')


@app.command("delete-context", epilog=example("gbnt config delete-context rome"))
@name_argument
def delete_context(name: str) -> None:
    """Forget a context and its credential. The cluster itself is not touched."""
    from cli import context_changes

    current = context_changes.remove_context(name, config_path())
    print(f'forgot "{name}"')
    context_changes.tell_of_none(current, config_path())


@app.command("view", epilog=example("gbnt config view", "gbnt config view --minify --raw -o json"))
@click.option("--minify", is_flag=True, help="Only the context that commands go to.")
@click.option("--raw", is_flag=True, help="With tokens and whole certificates.")
@document_option
@context_option
def view(minify: bool, raw: bool, form: Form, context: str) -> None:
    """Print the file of contexts, without the secrets of its tokens."""
    from cli.context_words import only, without_secrets

    document = document_at(config_path())
    if minify:
        chosen = find_context(context, config_path())
        if chosen is None:
            raise NotFound("there is no current context to show; `gbnt config use-context NAME` makes one that")
        document = only(document, chosen)
    print_document(document if raw else without_secrets(document), form)


@app.command(
    "export",
    epilog=example("gbnt config export --to rome.config", "gbnt config export --role operator --ttl 90d --name livia"),
)
@click.option("--role", type=OneOf(ROLES), default="viewer", show_default=True, help="What its holder may do.")
@click.option(
    "--ttl", metavar="TIME", default=TTL, show_default=True, help="How long it is good for, as 90d; or never."
)
@click.option("--name", metavar="NAME", default="config", show_default=True, help="Whom the new token is for.")
@click.option("--server", metavar="URL", default="", help="Where it reaches the API, if not by this machine's address.")
@click.option("--to", metavar="FILE", default="", help="Write it there, for this user alone, and print nothing.")
@context_option
def export(role: Role, ttl: str, name: str, server: str, to: str, context: str) -> None:
    """Print a file of contexts for another machine or person: this cluster's address, authority, and a new token.

    There it is `~/.gbntctl/config`, or what `gbnt config import` adds to one. Whoever has it may do what the role says.
    """
    from urllib.parse import urlsplit

    from cli.context_changes import document_of, write_document
    from cli.context_words import server_of
    from cli.machine import is_loopback

    given = server_of(server) if server else ""
    lifetime = None if ttl == "never" else duration(ttl)
    client = connect(context, socket_first=True)
    cluster = client.cluster()
    if not cluster["api"]:
        raise CliError("this node has no authority to name: export the context on a manager's machine")
    token = client.create_token(name, role, lifetime)
    reached = given or f"https://{cluster['api']}"
    document = document_of(Context(str(cluster["name"]), reached, str(cluster["authority"]), str(token["token"])))
    try:
        write_document(document, Path(to)) if to else print_document(document, "json")
    except CliError:
        client.revoke_token(str(token["id"]))  # nobody has it
        raise
    if is_loopback(urlsplit(reached).hostname or ""):
        print(f"warning: {reached} is each machine itself: --server says where others reach this one", file=sys.stderr)
    ends = "for ever" if lifetime is None else f"for {ttl}"
    print(
        f"it holds the token {token['id']} ({role}, good {ends}): keep it as a file of mode 0600, "
        f"and `gbnt token rm {token['id']}` takes it back",
        file=sys.stderr,
    )


@app.command("import", epilog=example("gbnt config import rome.config", "gbnt config import - --as rome < exported"))
@click.argument("file", metavar="FILE|-")
@click.option("--as", "name", metavar="NAME", default="", help="What it is to be called here; for a file of one.")
@click.option("--replace", "over", is_flag=True, help="In the place of contexts of the same names.")
@click.option("--use", is_flag=True, help="Make it the current one; else it is that only where none is yet.")
def import_(file: str, name: str, over: bool, use: bool) -> None:
    """Add the contexts of another file, as `gbnt config export` prints one; - is the standard input."""
    from cli.context_changes import add_contexts
    from cli.context_words import checked
    from cli.trust import trust

    source = "the standard input" if file == "-" else file
    brought, current = contexts_of(document_in(_text(file), source), source)
    if not all(context.name and context.server for context in brought) or not brought:
        raise BadInput(f"{source} holds no contexts: give what `gbnt config export` printed")
    if name:
        if len(brought) > 1:
            raise BadInput(f"{source} has {count(len(brought), 'context')}, and --as names one: leave it out")
        brought, current = [replace(brought[0], name=name)], name
    brought = [checked(context, source) for context in brought]
    names = [context.name for context in brought]
    if twice := [name for name in names if names.count(name) > 1]:
        raise BadInput(f'{source} has two contexts "{twice[0]}": rename one there')
    if use and current and current not in names:
        raise BadInput(
            f'{source} calls "{current}" the current one and has no such context: mend it, or leave --use out'
        )
    _insist_on_room(brought, over=over)
    for context in brought:
        trust(context)
    path = add_contexts(brought, current=(current or brought[0].name) if use else "")
    print(f"added {', '.join(names)} to {path}")


def _row(context: Context, current: str) -> Row:
    from cli.context_words import fingerprint, token_id

    return {
        "name": context.name,
        "server": shown_url(context.server),
        "current": context.name == current,
        "token_id": token_id(context.token),
        "authority": fingerprint(context.certificate_authority),
    }


def _chosen(current: str) -> str:
    return os.environ.get("GBNT_CONTEXT") or current


def _token(given: str, from_input: bool) -> str:
    from cli.context_words import token_of

    if given and from_input:
        raise BadInput("--token and --token-stdin are two tokens for one context: leave out --token")
    if given:
        print(
            "warning: a token on the command line is in the list of processes and in the shell's history; "
            "--token-stdin reads it from a file or a pipe",
            file=sys.stderr,
        )
        return token_of(given)
    return token_of(sys.stdin.read()) if from_input else ""


def _text(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise BadInput(
            f"there is no file {file}: give what `gbnt config export` printed, or - for the input"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot read {file}: {error}; name a file of contexts that this user may read") from error


def _insist_on_room(brought: list[Context], *, over: bool) -> None:
    """Raises BadInput where a context of another content would be overwritten."""
    known = {context.name: context for context in contexts(config_path())[0]}
    taken = [context.name for context in brought if known.get(context.name, context) != context]
    if taken and not over:
        raise BadInput(
            f"{', '.join(taken)} is known here as another cluster or with another token: --replace takes the new one, "
            "--as NAME calls it otherwise"
        )
