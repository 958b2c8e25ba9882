"""A stack's earlier revisions: their files printed as they were, and the way back to one."""

from __future__ import annotations

import sys

from cli.client import Client
from cli.errors import NotFound
from cli.follow import settle
from cli.output import Output, show_value, warn_of
from cli.table import Row
from cli.waiting import Waiting
from cli.words import said

HIDDEN = "***"


def newest(client: Client, stack: str) -> int:
    """The number of a stack's newest revision. Raises NotFound where none is kept."""
    for row in client.revisions(stack):
        return int(row["number"])
    raise NotFound(f"{stack} has no revisions: its next deploy makes one")


def show_sources(sources: Row, output: Output) -> None:
    """Print files, each under its name where there are several or variables follow, and the variables last."""
    if output != "table":
        show_value(sources, output)
        return
    parts = [(str(one["name"]), str(one["text"])) for one in sources["files"]]
    variables = [f"{name}={HIDDEN if value is None else value}\n" for name, value in sources["variables"].items()]
    if variables:
        parts.append(("variables", "".join(sorted(variables))))
    if len(parts) == 1:
        sys.stdout.write(parts[0][1])
        return
    for name, text in parts:
        print(f"==> {name} <==")
        sys.stdout.write(text if text.endswith("\n") else f"{text}\n")


def roll_back(client: Client, stack: str, number: int | None, waiting: Waiting) -> None:
    """Make a stack be as a revision says, and wait for that where it is wanted. Raises as `settle` does.

    Without a number it is the one before the present one: the manager is told which one that is, for somebody else may
    have gone back a moment ago.
    """
    accepted = client.roll_back(stack, number, newest(client, stack) if number is None else None)
    warn_of(accepted)
    print(f"{said(stack, accepted['changes'])}; to revision {accepted['detail']['to']}", file=sys.stderr)
    if waiting.wanted:
        settle(client, stack, accepted["revision"], timeout=waiting.timeout)
        print(f"{stack} runs as the revision says", file=sys.stderr)


def changes_of(row: Row) -> str:
    """What one revision changed, in a cell, and which one it goes back to."""
    changes = ", ".join(f"{name} {change}" for name, change in sorted(row["changes"].items()))
    return f"back to {row['of']}: {changes}" if row.get("of") else changes
