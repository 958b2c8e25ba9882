"""The draft of a stack: files that a manager keeps, and does not deploy."""

from __future__ import annotations

import sys

from cli.client import Client
from cli.deploy import kept
from cli.errors import NotFound
from cli.table import Row
from cli.words import said
from cluster.compose.loader import Loaded


def save(client: Client, loaded: Loaded) -> None:
    """Keep files as their stack's draft, in the place of the one before."""
    stack, sources = loaded.spec.name, kept(loaded.sources)
    writing: dict[str, object] = {"spec": loaded.spec}
    if sources is not None:
        writing["sources"] = sources
    print(said(stack, client.save_draft(stack, writing)["changes"]), file=sys.stderr)


def drop(client: Client, stack: str) -> None:
    """Forget a draft."""
    print(said(stack, client.drop_draft(stack)["changes"]), file=sys.stderr)


def sources_of(client: Client, stack: str, *, values: bool) -> Row:
    """The files of a draft, and the variables that they name. Raises NotFound where they were not kept."""
    found: Row | None = client.draft(stack, values=values)["sources"]
    if found is None:
        raise NotFound(f"the draft of {stack} came without its files")
    return found
