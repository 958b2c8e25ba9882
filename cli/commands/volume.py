"""`gbnt volume`: the named volumes of stacks."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import click

from cli.asking import confirm
from cli.connect import connect, context_option
from cli.errors import CliError, NotAllowed, NotFound, Unreachable, raise_for
from cli.filters import Filter, has, is_
from cli.group import example, group
from cli.output import Output, list_options, output_option, show_list, show_value
from cli.table import Column, column
from cli.words import size

if TYPE_CHECKING:
    from cli.client import Client
    from portal.provision_rows import VolumeRow

app = group("See the volumes of stacks, and remove what no stack names any more. Deploys make them.")

COLUMNS: tuple[Column[VolumeRow], ...] = (
    column("NAME", "name"),
    column("STACK", "stack"),
    column("DRIVER", "driver"),
    column("NODES", "nodes", flexible=True),
    column("USED BY", "tasks", flexible=True),
    Column("NOTE", lambda row: _note(row)),
)
MORE: tuple[Column[VolumeRow], ...] = (column("KEY", "key"),)
FILTERS: Mapping[str, Filter[VolumeRow]] = {"name": has("name"), "stack": is_("stack"), "driver": is_("driver")}
SIZE: Column[VolumeRow] = Column("SIZE", lambda row: _size(row), flexible=True)


@app.command("ls", epilog=example("gbnt volume ls", "gbnt volume ls --stack shop", "gbnt volume ls --unnamed -q"))
@click.option("--stack", metavar="STACK", default="", help="Only those of this stack.")
@click.option("--unnamed", is_flag=True, help="Only those that no stack names any more.")
@click.option("--size", "sizes", is_flag=True, help="With their sizes: each machine adds up their files.")
@context_option
@list_options(FILTERS)
def ls(stack: str, unnamed: bool, sizes: bool, context: str, output: Output, no_trunc: bool) -> None:
    """List volumes, the machines that have them, and the tasks that use them."""
    client = connect(context)
    rows = client.volumes(stack, sizes=sizes)
    if stack and not rows:
        client.stack(stack)  # which says where there is none of that name
    chosen = [row for row in rows if not (unnamed and row["stack"])]
    columns: tuple[Column[VolumeRow], ...] = (*COLUMNS[:-1], SIZE, COLUMNS[-1]) if sizes else COLUMNS
    show_list(chosen, columns, output, more=MORE, no_trunc=no_trunc, empty="no volumes")


@app.command("inspect", epilog=example("gbnt volume inspect shop_data"))
@click.argument("volume")
@context_option
@output_option("yaml")
def inspect(volume: str, context: str, output: Output) -> None:
    """Print all that is known of a volume, with its size on each machine."""
    found = connect(context).volume(volume, sizes=True)
    if output.is_table:
        show_list([found], (*COLUMNS[:-1], SIZE, COLUMNS[-1]), output)
    else:
        show_value(found, output)


@app.command("rm", epilog=example("gbnt volume rm shop_data", "gbnt volume rm shop_data shop_log --yes"))
@click.argument("volumes", metavar="VOLUME...", nargs=-1, required=True)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@context_option
def rm(volumes: tuple[str, ...], yes: bool, context: str) -> None:
    """Remove volumes with all data in them, from every machine that has them.

    Refused while a stack names one, or a task uses it. A machine that could not remove it is named: it keeps its data.
    Of several, one that is not there is passed over, so that the same command goes on where the last one could not.
    """
    client = connect(context)
    found = _found(client, dict.fromkeys(volumes))
    if not yes:
        listed = (f"  {row['name']} on {', '.join(row['nodes']) or 'no machine'}" for row in found)
        print("These volumes and all data in them are removed for good:", *listed, sep="\n", file=sys.stderr)
        confirm("Remove them?", yes=yes)
    failures = [why for row in found for why in _remove(client, row["name"])]
    raise_for(failures, "not all data is gone: give the same command again when what is in the way is mended")


def _found(client: Client, names: Iterable[str]) -> list[VolumeRow]:
    """Those that are there. Raises NotFound where none of them is."""
    found: list[VolumeRow] = []
    missing: list[NotFound] = []
    for name in names:
        try:
            found.append(client.volume(name))
        except NotFound as error:
            missing.append(error)
    if not found and len(missing) == 1:
        raise missing[0]
    for why in missing:
        print(f"passed over: {why}", file=sys.stderr)
    if not found:
        raise NotFound("none of these volumes is there")
    return found


def _remove(client: Client, name: str) -> list[str]:
    """Say where a volume is gone from; the answer is where it is not, and why."""
    try:
        done = client.remove_volume(name)
    except (Unreachable, NotAllowed):
        raise
    except CliError as error:
        return [str(error)]
    if done["removed"] or not done["kept"]:
        print(f"{name}: removed from {', '.join(done['removed']) or 'every machine already'}")
    return [f"{name} stays on {one['node']}, which {one['why']}" for one in done["kept"]]


def _size(row: VolumeRow) -> str:
    """In all, or by machine where several have one of that name, or one of them does not say."""
    sizes = {node: "unknown" if amount is None else size(amount) for node, amount in row["sizes"].items()}
    return (
        next(iter(sizes.values())) if len(sizes) == 1 else ", ".join(f"{node} {text}" for node, text in sizes.items())
    )


def _note(row: VolumeRow) -> str:
    if row["external"]:
        return "not made by gbnt"
    return "" if row["stack"] else "no stack names it"
