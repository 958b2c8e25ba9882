"""`gbnt health` with options; without any, the root answers it alone."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.group import example, single
from cli.health import LOCALHOST, drawn, insist, report_of
from cli.options import TELEMETRY_PORT
from cli.output import Output, OutputOption, show_value

app = single()


@app.command(epilog=example("gbnt health", "gbnt health --host 192.0.2.7"))
def health(
    host: Annotated[str, typer.Option("--host", metavar="HOST", help="The machine to ask.")] = LOCALHOST,
    port: Annotated[
        int, typer.Option("--port", metavar="PORT", envvar="GBNT_TELEMETRY_PORT", help="Its telemetry port.")
    ] = TELEMETRY_PORT,
    output: OutputOption = Output.TABLE,
) -> None:
    """Ask a node whether it is well; exits 0 if it is, 1 if a part of it is not, and 3 if nobody answers."""
    report = report_of(host, port)
    if output is Output.TABLE:
        print(drawn(report))
    else:
        show_value(report, output)
    insist(report, host)
