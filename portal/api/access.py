"""Who asks, and what a role lets its holder do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

from starlette.requests import HTTPConnection

from cluster.audit import Caller
from cluster.users import ROLES
from portal.api.problems import Problem

Access = Literal["open", "own", "viewer", "operator", "admin"]
"""The least role that an endpoint asks for; `open` sees for itself who comes, and `own` is anybody's who came in: it is
about them alone."""

CALLER = "gbnt.caller"
"""The key of an ASGI scope under which it stands who asks."""

RANK: Mapping[str, int] = {"open": 0, "own": 1, **{role: rank for rank, role in enumerate(ROLES, 1)}}
ROOT = Caller("root", "admin")
"""Whoever may open the manager's own socket, and who starts it."""


def may(caller: Caller, access: Access) -> bool:
    """Whether the caller's role is enough for what asks for this much."""
    return RANK[caller.role] >= RANK[access]


def caller_of(connection: HTTPConnection) -> Caller:
    """Who asks; nobody in particular where no token is asked for."""
    return cast(Caller, cast(Mapping[str, Any], connection.scope).get(CALLER) or Caller("", "open"))


def author_of(connection: HTTPConnection) -> str:
    """Under whose name what they write is kept: a token's; empty for the manager's own root, who has none."""
    caller = caller_of(connection)
    return caller.name if caller.token else ""


def require(connection: HTTPConnection, access: Access) -> None:
    """Raise Problem unless the caller's role is enough."""
    caller = caller_of(connection)
    if may(caller, access):
        return
    needed = "an admin" if access == "admin" else f"{access}s and admins" if access == "operator" else access
    text = f'the token "{caller.name}" has the role {caller.role}, which may not do this: it is for {needed}'
    raise Problem("forbidden", text)
