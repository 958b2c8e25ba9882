"""`gbnt health`: a node's own word on how it is.

It is what a container's health check runs every few seconds, so it asks with the standard library alone.
"""

from __future__ import annotations

import http.client
import json
from typing import Annotated

import typer

from cli.errors import CliError, Unreachable
from cli.group import example, single
from cli.options import TELEMETRY_PORT
from cli.output import Output, OutputOption, show_value
from cli.table import Column, Row, column, render

app = single()

COLUMNS = (
    column("PART", "name"),
    Column("STATE", lambda row: "ok" if row["ok"] else "NOT OK"),
    column("DETAIL", "detail"),
)


@app.command(epilog=example("gbnt health", "gbnt health --host 192.0.2.7"))
def health(
    host: Annotated[str, typer.Option("--host", help="The machine to ask.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", envvar="GBNT_TELEMETRY_PORT", help="Its telemetry port.")
    ] = TELEMETRY_PORT,
    output: OutputOption = Output.TABLE,
) -> None:
    """Ask a node whether it is well; exits 0 if it is, 1 if a part of it is not, and 3 if nobody answers."""
    report = _ask(host, port)
    if output is Output.TABLE:
        print(report["status"])
        print(render([{"name": name, **check} for name, check in report["checks"].items()], COLUMNS))
    else:
        show_value(report, output)
    if report["status"] != "ok":
        raise CliError(f"{host} is {report['status']}")


def _ask(host: str, port: int) -> Row:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/health")
        report: Row = json.load(connection.getresponse())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(f"no gbnt answers at {host}:{port} ({error}); start one with `gbnt serve`") from error
    finally:
        connection.close()
    return report
