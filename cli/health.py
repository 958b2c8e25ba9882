"""A node's own word on how it is, asked for with the standard library alone.

A container's health check asks every few seconds: what it imports is paid for each time.
"""

from __future__ import annotations

import http.client
import json

from cli.errors import BadInput, CliError, Unreachable
from cli.options import TELEMETRY_PORT
from cli.table import Column, Row, column, render

LOCALHOST = "127.0.0.1"

COLUMNS: tuple[Column[Row], ...] = (
    column("PART", "name"),
    Column("STATE", lambda row: "ok" if row["ok"] else "NOT OK"),
    column("DETAIL", "detail"),
)


def report_of(host: str, port: int) -> Row:
    """What `/ready` of the node's telemetry port says: `status` and `checks` by name. Raises Unreachable."""
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/ready")
        report: Row = json.load(connection.getresponse())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(f"no gbnt answers at {host}:{port} ({error}); start one with `gbnt serve`") from error
    finally:
        connection.close()
    return report


def drawn(report: Row) -> str:
    """The status, and a line for each check."""
    checks = [{"name": name, **check} for name, check in report["checks"].items()]
    return f"{report['status']}\n{render(checks, COLUMNS)}"


def insist(report: Row, host: str) -> None:
    """Raise CliError where a part of the node is not well."""
    if report["status"] != "ok":
        raise CliError(f"{host} is {report['status']}")


def check_this_machine(port: str | None) -> None:
    """`gbnt health` without a word more. Raises what the functions above raise."""
    if port and not port.isdecimal():
        raise BadInput(f'GBNT_TELEMETRY_PORT is "{port}", which is no port: {TELEMETRY_PORT} is the usual one')
    report = report_of(LOCALHOST, int(port or TELEMETRY_PORT))
    print(drawn(report))
    insist(report, LOCALHOST)
