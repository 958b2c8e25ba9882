"""What the engines of machines keep, as a table, and an error where a machine did not say."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from cli.errors import CliError
from cli.output import Output, show_list, show_value
from cli.table import Column, Row, column
from cli.words import count, size

if TYPE_CHECKING:
    from portal.part_rows import ShareRow
    from portal.usage import UsageLine

COLUMNS: tuple[Column[Row], ...] = (
    column("KIND", "kind"),
    column("NUMBER", "number"),
    column("IN USE", "in_use"),
    Column("SIZE", lambda row: _size(row)),
    Column("COULD GO", lambda row: size(row["reclaimable"])),
)


def show_usage(rows: Sequence[UsageLine], output: Output, *, by_node: bool) -> None:
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


def check_all_said(rows: Iterable[UsageLine], what: str) -> None:
    """Name the machines that did not say. Raises CliError where there are some."""
    known = list(rows)
    silent = [row for row in known if row["unknown"]]
    for row in silent:
        print(f"error: {row['node']} {row['unknown']}", file=sys.stderr)
    if silent:
        raise CliError(f"{len(silent)} of {count(len(known), 'machine')} did not say {what}: it is not among this")


def _lines(row: UsageLine) -> Iterator[Row]:
    for kind, share in _shares(row):
        yield {"node": row["node"], "kind": kind, **share}


def _sums(rows: Iterable[UsageLine]) -> Iterator[Row]:
    shares = [one for row in rows for one in _shares(row)]
    for kind in dict.fromkeys(kind for kind, _ in shares):
        those = [share for its, share in shares if its == kind]
        yield {
            "kind": kind,
            "number": sum(share["number"] for share in those),
            "in_use": sum(share["in_use"] for share in those),
            "size": sum(share["size"] for share in those),
            "reclaimable": sum(share["reclaimable"] for share in those),
            "unsized": sum(share["unsized"] for share in those),
        }


def _shares(row: UsageLine) -> Iterator[tuple[str, ShareRow]]:
    """What a machine that said it keeps, by kind in a person's words."""
    known = {
        "images": row["images"],
        "containers": row["containers"],
        "volumes": row["volumes"],
        "build cache": row["cache"],
    }
    yield from ((kind, share) for kind, share in known.items() if share is not None)


def _size(row: Row) -> str:
    return size(row["size"]) + (f" and {row['unsized']} unknown" if row["unsized"] else "")
