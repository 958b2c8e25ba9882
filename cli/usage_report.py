"""What the engines of machines keep, as a table, and an error where a machine did not say."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from cli.errors import CliError
from cli.output import Output, show_list, show_value
from cli.table import Column, Row, column
from cli.words import count, size

KINDS = {"images": "images", "containers": "containers", "volumes": "volumes", "cache": "build cache"}
COLUMNS = (
    column("KIND", "kind"),
    column("NUMBER", "number"),
    column("IN USE", "in_use"),
    Column("SIZE", lambda row: _size(row)),
    Column("COULD GO", lambda row: size(row["reclaimable"])),
)


def show_usage(rows: Sequence[Row], output: Output, *, by_node: bool) -> None:
    """Print what the machines said, in one sum or by machine. Raises CliError where one of them did not say."""
    machines = sorted(rows, key=lambda row: str(row["node"]))
    said = [row for row in machines if not row["unknown"]]
    if output.is_document:
        show_value(machines, output)
    elif output.form == "name":
        show_list(machines, (), output, key="node")
    elif by_node:
        show_list([line for row in said for line in _lines(row)], (column("NODE", "node"), *COLUMNS), output)
    elif said:
        show_list(list(_sums(said)), COLUMNS, output)
    check_all_said(rows, "what they keep")


def check_all_said(rows: Iterable[Row], what: str) -> None:
    """Name the machines that did not say. Raises CliError where there are some."""
    known = list(rows)
    silent = [row for row in known if row["unknown"]]
    for row in silent:
        print(f"error: {row['node']} {row['unknown']}", file=sys.stderr)
    if silent:
        raise CliError(f"{len(silent)} of {count(len(known), 'machine')} did not say {what}: it is not among this")


def _lines(row: Row) -> Iterator[Row]:
    for kind, word in KINDS.items():
        yield {"node": row["node"], "kind": word, **row[kind]}


def _sums(rows: Iterable[Row]) -> Iterator[Row]:
    sums = {kind: Counter[str]() for kind in KINDS}
    for row in rows:
        for kind, total in sums.items():
            total.update(row[kind])
    for kind, total in sums.items():
        fields = ("number", "in_use", "size", "reclaimable", "unsized")
        yield {"kind": KINDS[kind], **{field: total[field] for field in fields}}


def _size(row: Row) -> str:
    return size(row["size"]) + (f" and {row['unsized']} unknown" if row["unsized"] else "")
