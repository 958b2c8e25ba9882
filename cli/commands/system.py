"""`gbnt system`: the room that the engines of all machines need, and making some."""

from __future__ import annotations

import click

from cli.connect import connect, context_option
from cli.group import example, group
from cli.output import Output, output_option

app = group("See how much room the engines of all machines take, and put away what nothing needs any more.")


@app.command("df", epilog=example("gbnt system df", "gbnt system df --verbose", "gbnt system df -o json"))
@click.option("--verbose", "-v", is_flag=True, help="Of each machine by itself.")
@context_option
@output_option()
def df(verbose: bool, context: str, output: Output) -> None:
    """Add up images, containers, volumes and the builds' cache: how many, in use, how large, and what of that could go.

    That could go is the least that is free afterwards: where unused images share layers it is more.
    """
    from cli.usage_report import show_usage

    show_usage(list(connect(context).usage()), output, by_node=verbose)


@app.command(
    "prune",
    epilog=example(
        "gbnt system prune",
        "gbnt system prune --volume shop_data",
        "gbnt system prune --volumes --dry-run -o json",
    ),
)
@click.option("--all-images", "-a", is_flag=True, help="Every image that no container is of, whoever put it there.")
@click.option("--volume", "names", metavar="VOLUME", multiple=True, help="This volume too, with all data in it.")
@click.option("--volumes", is_flag=True, help="All that no stack names or may go back to, with their data.")
@click.option("--dry-run", is_flag=True, help="Only list what would go, by all its names.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@context_option
@output_option()
def prune(
    all_images: bool, names: tuple[str, ...], volumes: bool, dry_run: bool, yes: bool, context: str, output: Output
) -> None:
    """Remove from all machines containers of this cluster that ended, and images that only its past needed.

    It is listed first, and you are asked. Images stay that stacks run, or may go back to (`gbnt stack history`); with
    --all-images every other goes that no container is of, as by `docker system prune -a`. Volumes go by name alone.
    """
    from cli.pruning import Pruning, prune

    prune(connect(context), Pruning(all_images, names, volumes), output, dry_run=dry_run, yes=yes)
