"""`gbnt top`: how busy tasks and machines are."""

from __future__ import annotations

import contextlib
import sys

import click

from cli.colour import draws
from cli.connect import connect, context_option
from cli.group import example, single
from cli.kinds import OneOf, Seconds
from cli.output import Output, output_option, show_value


@single(epilog=example("gbnt top", "gbnt top shop", "gbnt top shop/web --no-stream", "gbnt top shop-web-1 -o json"))
@click.argument("subject", metavar="[STACK|SERVICE|TASK]", default="")
@click.option("--node", metavar="NODE", default="", help="Only the tasks on this machine.")
@click.option(
    "--sort", type=OneOf(("cpu", "memory", "name")), default="cpu", show_default=True, help="What comes first."
)
@click.option("--interval", type=Seconds(), metavar="TIME", default=2.0, show_default=True, help="Between two looks.")
@click.option("--no-stream", is_flag=True, help="Look once.")
@output_option()
@context_option
def app(subject: str, node: str, sort: str, interval: float, no_stream: bool, output: Output, context: str) -> None:
    """See what tasks use of CPUs, memory, networks and disks, and how busy their machines are; on a terminal for ever.

    100 % is one whole CPU. What went over networks and disks is counted since the container started.
    """
    from cli.load_report import refreshed, report, selection, show_tasks

    client = connect(context)
    chosen = {**selection(client, subject), "node": node}
    if output.is_document:
        show_value(next(client.stats(chosen)), output)
    elif not output.is_table:
        show_tasks(next(client.stats(chosen)), sort, output)
    elif no_stream or not draws(sys.stdout):
        print("\n".join(report(next(client.stats(chosen)), sort)))
    else:
        with contextlib.suppress(KeyboardInterrupt):  # which ends it, as it ends events and logs
            refreshed(client.stats({**chosen, "follow": 1, "interval": str(interval)}), sort, sys.stdout)
