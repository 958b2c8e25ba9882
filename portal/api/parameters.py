"""What stands in a path's query has to be what the path takes: a slip of the pen is not to be another request."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import QueryParams

from cluster.nearness import nearest
from portal.api.problems import Problem

YES = ("1", "true", "yes")
NO = ("0", "false", "no")


def check(given: QueryParams, kinds: Mapping[str, str]) -> None:
    """Raise Problem for a parameter that is none of these, and for a `flag` that says neither yes nor no."""
    for name, value in given.multi_items():
        if name not in kinds:
            raise Problem("invalid", _unknown(name, sorted(kinds)))
        if kinds[name] == "flag" and value.lower() not in (*YES, *NO):
            raise Problem("invalid", f'the parameter "{name}" must be 1 or 0, not "{value[:40]}"')


def _unknown(name: str, known: list[str]) -> str:
    text = f'this path takes no parameter "{name[:40]}"'
    if near := nearest(name, known):
        return f'{text}; did you mean "{near}"?'
    return f"{text}, but {', '.join(known)}" if known else f"{text}, nor any other"
