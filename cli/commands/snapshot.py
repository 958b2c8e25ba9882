"""`gbnt snapshot`: the cluster's state, kept aside."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.connect import connect, context_option
from cli.errors import BadInput, CliError
from cli.filters import Filter, has
from cli.group import data_dir_option, example, group
from cli.options import default_data_dir
from cli.output import Output, list_options, show_list
from cli.table import Column, column
from cli.words import age, size

if TYPE_CHECKING:
    from portal.shapes import SnapshotRow

app = group("Make, list and restore snapshots of the cluster's state.")

FILTERS: Mapping[str, Filter[SnapshotRow]] = {"name": has("name")}


@app.command("create", epilog=example("gbnt snapshot create"))
@context_option
def create(context: str) -> None:
    """Make a snapshot now, beside those that the manager makes on its own."""
    print(connect(context).create_snapshot()["name"])


@app.command("ls", epilog=example("gbnt snapshot ls"))
@context_option
@list_options(FILTERS)
def ls(context: str, output: Output, no_trunc: bool) -> None:
    """List the snapshots, newest first."""
    now = time.time()
    columns: tuple[Column[SnapshotRow], ...] = (
        column("NAME", "name"),
        column("REVISION", "revision"),
        Column("SIZE", lambda row: size(row["size"])),
        Column("MADE", lambda row: age(row["created_at"], now)),
    )
    show_list(connect(context).snapshots(), columns, output, no_trunc=no_trunc, empty="no snapshots yet")


@app.command("confirm", epilog=example("gbnt snapshot confirm"))
@context_option
def confirm(context: str) -> None:
    """After a restore: let containers go that the restored state does not know.

    `gbnt node ls -o json` lists them as `held` until then.
    """
    connect(context).release_held()
    print("containers that this state does not know are removed from now on")


@app.command("restore", epilog=example("gbnt snapshot restore gbnt-20260501T120000.000000Z"))
@click.argument("snapshot", help="Its name, a beginning of it that no other has, or a file.")
@data_dir_option("The manager's state.")
def restore(snapshot: str, data_dir: Path | None) -> None:
    """Go back to a snapshot, on the manager's machine while it is stopped.

    The state that is replaced is kept beside it. Once the manager runs again, containers that the snapshot does not
    know are left alone until `gbnt snapshot confirm`.
    """
    from cli.home import Home  # the store, which no other command here opens
    from store.contract import StoreError
    from store.restore import restore as restore_store

    home = Home(data_dir or default_data_dir())
    file = Path(snapshot) if "/" in snapshot else _kept(home.snapshots, snapshot.removesuffix(".db"))
    try:
        restored = restore_store(file, home.store, at=time.time())
    except StoreError as error:
        raise CliError(str(error)) from error
    print(f"the state is that of {file.stem}, and goes on at revision {restored.revision}; start gbnt again")


def _kept(folder: Path, name: str) -> Path:
    """The snapshot of that name, or the only one that begins so. Raises BadInput where several do."""
    known = sorted(path.stem for path in folder.glob("*.db"))
    found = [name] if name in known else [one for one in known if one.startswith(name)]
    if len(found) > 1:
        raise BadInput(f"{len(found)} snapshots begin with {name}: say which one of {', '.join(found)}")
    return folder / f"{found[0] if found else name}.db"
