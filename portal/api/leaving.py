"""`/v1/leave`: how a machine stops being a node, by its own word.

It asks for no bearer token: a node's own proof is what counts, as where it renews its certificate.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import TypedDict

from actors.protocol import Accepted, LeaveNode
from cluster.leaving import leavers
from cluster.membership import may_leave
from portal.api.admission import proven
from portal.api.bodies import body_of
from portal.api.endpoint import write
from portal.api.requests import answer, command, state_of
from portal.rows import leaver_row
from portal.shapes import LeaverRow


class Departure(TypedDict):
    """Whether the machine that asked has left, and what has not left it yet."""

    left: bool
    leaving: list[LeaverRow]


@dataclass(frozen=True, slots=True)
class Leaving:
    """The body of a node that leaves. By `force` at once, whatever runs there."""

    force: bool = False


async def leave(request: Request) -> Response:
    """Empty the node that asks, and forget it once it is empty; it asks again until it has `left`.

    `leaving` is what has not left it yet. Asked again after that, the answer is the same.
    """
    body, state = await body_of(request, Leaving), await state_of(request)
    id = proven(request, "leave", partial(may_leave, state))
    await command(request, "senate", LeaveNode(id, body.force), Accepted)
    state = await state_of(request)
    node = state.nodes.get(id)
    leaving = [leaver_row(leaver) for leaver in leavers(state, node)] if node is not None else []
    return answer({"left": node is None, "leaving": leaving})


ENDPOINTS = (write("POST", "/v1/leave", leave, Departure, body=Leaving, access="open"),)
