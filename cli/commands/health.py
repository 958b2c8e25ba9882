"""`gbnt health` with options; without any, the root answers it alone."""

from __future__ import annotations

import click

from cli.group import example, single
from cli.health import LOCALHOST, drawn, insist, report_of
from cli.kinds import LAST_PORT, Whole
from cli.options import TELEMETRY_PORT
from cli.output import Output, output_option, show_value


@single(epilog=example("gbnt health", "gbnt health --host 192.0.2.7"))
@click.option("--host", metavar="HOST", default=LOCALHOST, show_default=True, help="The machine to ask.")
@click.option(
    "--port",
    metavar="PORT",
    type=Whole(1, LAST_PORT),
    default=TELEMETRY_PORT,
    show_default=True,
    envvar="GBNT_TELEMETRY_PORT",
    show_envvar=True,
    help="Its telemetry port.",
)
@output_option()
def app(host: str, port: int, output: Output) -> None:
    """Ask a node whether it is well; exits 0 if it is, 1 if a part of it is not, and 3 if nobody answers."""
    report = report_of(host, port)
    if output.is_table:
        print(drawn(report))
    else:
        show_value(report, output)
    insist(report, host)
