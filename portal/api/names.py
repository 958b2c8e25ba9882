"""`/v1/names`: what names answer with."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from cluster.lookup import lookup
from cluster.zones import service_names
from portal.api.endpoint import listed
from portal.api.problems import missing
from portal.api.requests import listing, state_of
from portal.name_rows import NameRow, name_rows


async def show(request: Request) -> Response:
    """What a name means on each network, and what of that is in no answer now."""
    state, name = await state_of(request), request.path_params["name"]
    found = lookup(state, name)
    if found is None:
        known = {known for one in state.services.values() for known in service_names(one.stack, one.name)}
        raise missing("name", name, known, "gbnt service ls")
    return listing(request, name_rows(state, found), state.revision, ("network", "task", "id", "address"))


ENDPOINTS = (listed("/v1/names/{name}", show, NameRow),)
