"""The draft of a stack: files that a manager keeps, and does not deploy until somebody asks for it."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import orjson

from cli.client import Client
from cli.deploy import kept
from cli.errors import BadInput, NotFound
from cli.words import said
from cluster.compose.loader import Loaded
from cluster.sources import Sources
from cluster.spec import StackSpec

if TYPE_CHECKING:
    from portal.shapes import SourcesShown


def save(client: Client, loaded: Loaded, *, over: bool) -> None:
    """Keep files as their stack's draft, in the place of the one before; with `over` though somebody else saved that.

    What keeps them from being deployed is warned of, and kept beside them.
    """
    stack, sources = loaded.spec.name, kept(loaded.sources)
    for refusal in loaded.refusals:
        print(replace(refusal, severity="warning").render(), file=sys.stderr)
    writing = {
        "sources": sources,
        "refusals": [refusal.summary() for refusal in loaded.refusals],
        "replaces": _saved_at(client, stack) if over else None,
    }
    order = {"spec": loaded.spec, **{key: value for key, value in writing.items() if value}}
    print(said(stack, client.save_draft(stack, order)["changes"]), file=sys.stderr)
    if loaded.refusals:
        print(f"the draft of {stack} cannot be deployed as it is", file=sys.stderr)


def _saved_at(client: Client, stack: str) -> float | None:
    try:
        return float(client.draft(stack, values=False)["at"])
    except NotFound:
        return None


def load_draft(client: Client, stack: str) -> Loaded:
    """A stack's draft, to be deployed. Raises NotFound where there is none, BadInput where it cannot be deployed."""
    from pydantic import TypeAdapter  # not to be waited for by who saves one

    draft = client.draft(stack, values=True)
    if draft["refusals"]:
        listed = "".join(f"\n  {refusal}" for refusal in draft["refusals"])
        raise BadInput(f"the draft of {stack} cannot be deployed as it is, and nothing was changed{listed}")
    spec = TypeAdapter(StackSpec).validate_json(orjson.dumps(draft["spec"]))
    sources = TypeAdapter(Sources).validate_json(orjson.dumps(draft["sources"] or {}))
    return Loaded({}, spec, (), (), sources=sources)


def drop(client: Client, stack: str) -> None:
    """Forget a draft."""
    print(said(stack, client.drop_draft(stack)["changes"]), file=sys.stderr)


def sources_of(client: Client, stack: str, *, values: bool) -> SourcesShown:
    """The files of a draft, and the variables that they name. Raises NotFound where they were not kept."""
    found = client.draft(stack, values=values)["sources"]
    if found is None:
        raise NotFound(f"the draft of {stack} came without its files")
    return found
