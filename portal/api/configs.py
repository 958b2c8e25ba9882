"""`/v1/configs`: the configs that stacks brought. Contents may be as secret as compose files: viewers get none."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from actors.protocol import RemoveConfig
from cluster.decide.configs import held
from portal.api.cluster import OF_STACK
from portal.api.endpoint import listed, read, write
from portal.api.problems import missing
from portal.api.requests import answer, change, key_of, listing, state_of
from portal.rows import config_row
from portal.shapes import Changed, ConfigRow, ConfigShown


async def index(request: Request) -> Response:
    """The configs of all stacks, or of `stack`, without their contents."""
    state, stack = await state_of(request), request.query_params.get("stack", "")
    rows = [config_row(state, one) for one in held(state) if stack in ("", one.stack)]
    return listing(request, rows, state.revision, ("name",))


async def show(request: Request) -> Response:
    """One config, with its content in base64."""
    state, name = await state_of(request), request.path_params["name"]
    known = {one.config.name: one for one in held(state)}
    if name not in known:
        raise missing("config", name, known, "gbnt config-file ls")
    content = state.configs[known[name].config.digest].content
    return answer({**config_row(state, known[name]), "content": content})


async def remove(request: Request) -> Response:
    """Take one that no service reads out of its stack."""
    return await change(request, RemoveConfig(request.path_params["name"], key_of(request)))


ONE = "/v1/configs/{name}"

ENDPOINTS = (
    listed("/v1/configs", index, ConfigRow, OF_STACK),
    read(ONE, show, ConfigShown, access="operator"),
    write("DELETE", ONE, remove, Changed),
)
