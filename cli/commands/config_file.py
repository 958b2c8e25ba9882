"""`gbnt config-file`: the configs of compose files, which the cluster keeps for its services to read."""

from __future__ import annotations

import base64
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from cli.connect import connect, context_option
from cli.errors import BadInput
from cli.filters import Filter, has, is_, labelled
from cli.group import example, group
from cli.output import Output, list_options, output_option, show_list, show_value
from cli.sheet import labels
from cli.table import Column, column
from cli.words import age, size

if TYPE_CHECKING:
    from portal.shapes import ConfigRow

app = group("See and remove the configs that stacks brought. `gbnt config` chooses among clusters.")

COLUMNS: tuple[Column[ConfigRow], ...] = (
    column("NAME", "name", flexible=True),
    column("STACK", "stack"),
    Column("SIZE", lambda row: size(row["size"])),
    Column("CHANGED", lambda row: age(row["updated_at"], time.time())),
    column("READ BY", "services", flexible=True),
)
MORE: tuple[Column[ConfigRow], ...] = (
    column("KEY", "key"),
    Column("LABELS", lambda row: labels(row["labels"]), flexible=True),
    column("DIGEST", "digest", flexible=True),
)
FILTERS: Mapping[str, Filter[ConfigRow]] = {"name": has("name"), "stack": is_("stack"), "label": labelled()}

name_argument = click.argument("name", metavar="CONFIG")


@app.command("ls", epilog=example("gbnt config-file ls", "gbnt config-file ls --stack shop -o wide"))
@click.option("--stack", metavar="STACK", default="", help="Only those of this stack.")
@context_option
@list_options(FILTERS)
def ls(stack: str, context: str, output: Output, no_trunc: bool) -> None:
    """List the configs, and which services read each."""
    client = connect(context)
    rows = client.configs(stack)
    if stack and not rows:
        client.stack(stack)  # which says where there is none of that name
    empty = f"stack {stack} has brought no config" if stack else "no stack has brought a config"
    show_list(rows, COLUMNS, output, more=MORE, no_trunc=no_trunc, empty=empty)


@app.command(
    "inspect",
    epilog=example("gbnt config-file inspect shop_app", "gbnt config-file inspect shop_app --content > app.conf"),
)
@name_argument
@click.option("--content", is_flag=True, help="Print the content alone, to the letter.")
@context_option
@output_option("yaml")
def inspect(name: str, content: bool, context: str, output: Output) -> None:
    """Print a config: all that is known of it, and its content, in base64 where it is no text."""
    if content and output != Output("yaml"):
        raise BadInput("--content prints the file to the letter: leave out --output and --format")
    found = connect(context).config(name)
    kept = base64.b64decode(found["content"])
    if content:
        sys.stdout.buffer.write(kept)
        return
    try:
        shown = {**found, "content": kept.decode()}
    except UnicodeDecodeError:
        shown = {**found, "encoding": "base64"}
    show_value(shown, output)


@app.command("rm", epilog=example("gbnt config-file rm shop_app"))
@name_argument
@context_option
def rm(name: str, context: str) -> None:
    """Remove a config that no service reads. The next deploy of a file that has it brings it back."""
    connect(context).remove_config(name)
    print(f"{name} is gone")
