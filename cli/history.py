"""A stack's earlier revisions: their files printed as they were, and the way back to one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cli.client import Client
from cli.errors import NotFound
from cli.follow import settle
from cli.output import Output, show_value, warn_of
from cli.waiting import Waiting
from cli.words import HIDDEN, did_you_mean, said

if TYPE_CHECKING:
    from portal.shapes import SourcesShown


def newest(client: Client, stack: str) -> int:
    """The number of a stack's newest revision. Raises NotFound where none is kept."""
    for row in client.revisions(stack):
        return int(row["number"])
    raise NotFound(f"{stack} has no revisions: its next deploy makes one")


def show_sources(sources: SourcesShown, output: Output, file: str) -> None:
    """Print files: the one that is named, else all, each under its name where there are several.

    One alone is printed to the letter, for it may be written to a file. Variables go to the standard error. Raises
    NotFound.
    """
    if not output.is_table:
        show_value(sources, output)
        return
    texts = {str(one["name"]): str(one["text"]) for one in sources["files"]}
    if file and file not in texts:
        raise NotFound(f"there is no {file}{did_you_mean(file, texts)}: the files are {', '.join(texts)}")
    shown = {file: texts[file]} if file else texts
    for name, text in shown.items():
        if len(shown) > 1:
            print(f"==> {name} <==")
        sys.stdout.write(text if len(shown) == 1 or text.endswith("\n") else f"{text}\n")
    sys.stdout.flush()  # a terminal shows the variables after them
    for name, value in sorted(sources["variables"].items()):
        print(f"{name}={HIDDEN if value is None else value}", file=sys.stderr)
    if len(shown) > 1:
        print(f"{len(shown)} files: --file NAME prints one of them alone, to the letter", file=sys.stderr)


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
