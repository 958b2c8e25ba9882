"""What stands in a path's query has to be what the path takes: a slip of the pen is not to be another request."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from starlette.datastructures import QueryParams

from cluster.nearness import nearest
from portal.api.problems import Problem

if TYPE_CHECKING:
    from portal.api.endpoint import Query

YES = ("1", "true", "yes")
NO = ("0", "false", "no")
MOST = 50
"""Of all names together: each `filter` costs a look at every row."""


def check(given: QueryParams, taken: Iterable[Query]) -> None:
    """Raise Problem for a parameter that is none of these, or stands too often, or is too long or no `flag`."""
    known = {query.name: query for query in taken}
    if len(given.multi_items()) > MOST:
        raise Problem("invalid", f"the request has more than {MOST} parameters")
    for name, value in given.multi_items():
        if name not in known:
            raise Problem("invalid", _unknown(name, sorted(known)))
        query = known[name]
        if not query.many and len(given.getlist(name)) > 1:
            raise Problem("invalid", f'the parameter "{name}" is given more than once: say which one is meant')
        if len(value) > query.longest:
            text = f'the parameter "{name}" has {len(value)} characters, and at most {query.longest} are read'
            raise Problem("invalid", text)
        if query.kind == "flag" and value.lower() not in (*YES, *NO):
            raise Problem("invalid", f'the parameter "{name}" must be 1 or 0, not "{value[:40]}"')


def _unknown(name: str, known: list[str]) -> str:
    text = f'this path takes no parameter "{name[:40]}"'
    if near := nearest(name, known):
        return f'{text}; did you mean "{near}"?'
    return f"{text}, but {', '.join(known)}" if known else f"{text}, nor any other"
