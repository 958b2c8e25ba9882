"""`/v1/cluster`, `/v1/nodes` and `/v1/volumes`."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from portal.api.requests import answer, backend_of, listing, state_of
from portal.rows import node_row, volume_rows


async def show(request: Request) -> Response:
    """Who answers, and at which revision."""
    state, identity = await state_of(request), backend_of(request).identity
    return answer(
        {
            "name": identity.cluster,
            "id": identity.id,
            "version": identity.version,
            "revision": state.revision,
            "epoch": state.epoch,
            "node": identity.node,
        }
    )


async def nodes(request: Request) -> Response:
    """The machines, by name."""
    state = await state_of(request)
    ordered = sorted(state.nodes.values(), key=lambda node: node.name)
    return listing([node_row(state, node) for node in ordered], state.revision)


async def volumes(request: Request) -> Response:
    """The named volumes of all stacks, or of `stack`."""
    state = await state_of(request)
    return listing(volume_rows(state, request.query_params.get("stack", "")), state.revision)


ROUTES = (Route("/v1/cluster", show), Route("/v1/nodes", nodes), Route("/v1/volumes", volumes))
