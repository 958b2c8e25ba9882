"""`/v1/actors`: the live tree of the node that answers. Needs no Senate, for that may be what ails."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from portal.api.endpoint import Endpoint, read
from portal.api.problems import missing
from portal.api.requests import answer, backend_of
from portal.rows import actor_row
from portal.shapes import ActorRow


async def index(request: Request) -> Response:
    """Every actor, depth first."""
    return answer({"items": [actor_row(info) for info in backend_of(request).inspect("")]})


async def show(request: Request) -> Response:
    """One actor by its path, or its address with the node before it."""
    inspect, path = backend_of(request).inspect, request.path_params["path"]
    tree = inspect("")
    for info in tree:
        address = str(info.address)
        if path in (address, address.partition("/")[2]):
            return answer(actor_row(info))
    raise missing("actor", path, (str(info.address) for info in tree), "gbnt actor tree")


ENDPOINTS = (Endpoint("GET", "/v1/actors", index, ActorRow, "list"), read("/v1/actors/{path:path}", show, ActorRow))
