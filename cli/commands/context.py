"""`gbnt context`: the clusters that this user knows."""

from __future__ import annotations

import click

from cli.context import config_path, contexts, remove_context, use_context
from cli.group import example, group
from cli.output import Output, list_options, show_list
from cli.table import column

app = group("Choose among the clusters in ~/.gbntctl/config (or GBNTCTL_CONFIG).")

COLUMNS = (column("CURRENT", "mark"), column("NAME", "name"), column("SERVER", "server", flexible=True))


@app.command("ls", epilog=example("gbnt context ls"))
@list_options
def ls(output: Output, no_trunc: bool) -> None:
    """List the contexts; the current one has a star."""
    known, current = contexts(config_path())
    rows = [{"name": item.name, "server": item.server, "current": item.name == current} for item in known]
    if output == "table":
        rows = [{**row, "mark": "*" if row["current"] else ""} for row in rows]
    empty = "no contexts; `gbnt serve` writes the first one"
    show_list(rows, COLUMNS, output, no_trunc=no_trunc, empty=empty)


@app.command("use", epilog=example("gbnt context use rome"))
@click.argument("name")
def use(name: str) -> None:
    """Make a context the current one."""
    use_context(name, config_path())
    print(f'commands now go to "{name}"')


@app.command("rm", epilog=example("gbnt context rm rome"))
@click.argument("name")
def rm(name: str) -> None:
    """Forget a context and its credential. The cluster itself is not touched."""
    remove_context(name, config_path())
    print(f'forgot "{name}"')
