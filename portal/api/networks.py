"""`/v1/networks`: the networks of stacks."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from portal.api.cluster import OF_STACK
from portal.api.endpoint import listed, read
from portal.api.problems import missing
from portal.api.requests import answer, listing, state_of
from portal.provision_rows import NetworkRow, NetworkShown, network_detail, network_rows


async def index(request: Request) -> Response:
    """The networks of all stacks, or of `stack`."""
    state = await state_of(request)
    rows = network_rows(state, request.query_params.get("stack", ""))
    return listing(request, rows, state.revision, ("name", "stack", "key"))


async def show(request: Request) -> Response:
    """One network, with the tasks that are on it."""
    state, name = await state_of(request), request.path_params["name"]
    found = network_detail(state, name)
    if found is None:
        raise missing("network", name, {row["name"] for row in network_rows(state)}, "gbnt network ls")
    return answer(found)


ENDPOINTS = (
    listed("/v1/networks", index, NetworkRow, OF_STACK),
    read("/v1/networks/{name}", show, NetworkShown),
)
