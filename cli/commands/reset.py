"""`gbnt reset`: this machine without gbnt."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cli.asking import confirm
from cli.group import data_dir_option, example, single
from cli.options import default_data_dir


@single(epilog=example("sudo gbnt reset", "sudo gbnt reset --volumes --yes"))
@data_dir_option("Where gbnt keeps its state.")
@click.option("--volumes", is_flag=True, help="Remove the volumes, too, with all data in them.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def app(data_dir: Path | None, volumes: bool, yes: bool) -> None:
    """Remove all that gbnt has on this machine: service, containers, networks, resolver, state and keys.

    It is listed first, and you are asked. Of a manager the cluster's state goes with it. A worker is not taken out of
    its cluster by this: `gbnt legion leave` does both.
    """
    from cli.home import Home
    from cli.reset import kept, listed, look, remove  # the engine comes with it

    home = Home((data_dir or default_data_dir()).absolute(), make=False)
    found = look(home)
    lines = "\n".join(f"  {line}" for line in listed(found, volumes=volumes))
    print(f"This is removed for good:\n{lines}", file=sys.stderr)
    confirm("Remove it?", yes=yes)
    remove(home, found, volumes=volumes)
    for line in kept(found, home, volumes=volumes):
        print(line, file=sys.stderr)
    print("nothing else of gbnt is left on this machine")
