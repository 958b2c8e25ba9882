"""`/v1/nodes`: look at the machines, say what they are for, forget one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from actors.protocol import RemoveNode, UpdateNode
from cluster.decide.decision import Refusal
from cluster.decide.machines import find_node
from cluster.leaving import leavers
from cluster.model import Node, State
from portal.api.bodies import body_of
from portal.api.endpoint import Query, Versioned, listed, read, write
from portal.api.problems import Problem
from portal.api.requests import answer, change, flag, key_of, listing, state_of
from portal.rows import leaver_row, node_row
from portal.shapes import Changed, NodeRow, NodeShown


@dataclass(frozen=True, slots=True)
class NodeChanges:
    """The body of a change: what is left out stays, and a label without a value is taken away."""

    availability: str = ""
    labels: Mapping[str, str | None] = field(default_factory=dict)
    role: str = ""


async def index(request: Request) -> Response:
    """The machines, by name."""
    state = await state_of(request)
    return listing(request, [node_row(state, node) for node in state.nodes.values()], state.revision, ("name", "id"))


async def show(request: Request) -> Response:
    """One machine; while it is being emptied, with what has not left it yet."""
    state = await state_of(request)
    node = find(state, request.path_params["node"])
    leaving = [leaver_row(leaver) for leaver in leavers(state, node)]
    return answer({**node_row(state, node), "leaving": leaving})


async def update(request: Request) -> Response:
    """Change what a machine is for, its labels or its role."""
    body = await body_of(request, NodeChanges)
    if body == NodeChanges():
        raise Problem("invalid", 'say what to change: "availability", "labels" or "role"')
    given = {name: value for name, value in body.labels.items() if value is not None}
    taken = tuple(name for name, value in body.labels.items() if value is None)
    reference = request.path_params["node"]
    return await change(
        request, UpdateNode(reference, body.availability, given, taken, body.role, request=key_of(request))
    )


async def remove(request: Request) -> Response:
    """Forget a machine; with `force` whatever it does."""
    return await change(request, RemoveNode(request.path_params["node"], flag(request, "force"), key_of(request)))


def find(state: State, reference: str) -> Node:
    """The machine of that id or name. Raises Problem."""
    found = find_node(state, reference)
    if isinstance(found, Refusal):
        raise Problem(found.code, found.message)
    return found


ONE = "/v1/nodes/{node}"

NODE = Versioned("node", "{node}")
ENDPOINTS = (
    listed("/v1/nodes", index, NodeRow),
    read(ONE, show, NodeShown, versioned=NODE),
    write("PATCH", ONE, update, Changed, body=NodeChanges, versioned=NODE),
    write("DELETE", ONE, remove, Changed, Query("force", "whatever it does, has or holds", "flag"), versioned=NODE),
)
