"""`/v1/volumes`: the named volumes of stacks, and those that outlived theirs."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import TypedDict

from actors.protocol import Accepted, RemoveVolume
from cluster.model import State
from portal import volumes
from portal.api.auditing import conclude
from portal.api.cluster import OF_STACK
from portal.api.endpoint import Query, listed, read, write
from portal.api.lines import End
from portal.api.problems import missing
from portal.api.requests import answer, backend_of, command, flag, key_of, listing, state_of
from portal.provision_rows import VolumeRow, VolumeShown, volume_detail, volume_rows
from portal.usage import volume_sizes
from portal.volumes import KeptOn

SIZE_SECONDS = 25.0
"""No longer than a client waits for an answer."""


class VolumeRemoved(TypedDict):
    """The machines that a volume is gone from, and those that keep it: asked anew it goes on."""

    revision: int
    volume: str
    removed: list[str]
    kept: list[KeptOn]


async def index(request: Request) -> Response:
    """The named volumes of all stacks, or of `stack`; with `sizes` as their machines tell them."""
    state = await state_of(request)
    rows = volume_rows(state, request.query_params.get("stack", ""))
    await _add_sizes(request, state, rows)
    return listing(request, rows, state.revision, ORDER)


async def show(request: Request) -> Response:
    """One volume; with `sizes` as its machines tell them."""
    state, name = await state_of(request), request.path_params["name"]
    found = volume_detail(state, name)
    if found is None:
        raise missing("volume", name, {row["name"] for row in volume_rows(state)}, "gbnt volume ls")
    await _add_sizes(request, state, [found])
    return answer(found)


async def remove(request: Request) -> Response:
    """Remove a volume that no stack names and no task uses, with its data, from every machine that has it.

    A repeat removes nothing, and is answered with the machines that have it now.
    """
    name, key = request.path_params["name"], key_of(request)
    repeated = bool(key) and key in (await state_of(request)).commands
    accepted = await command(request, "senate", RemoveVolume(name, key), Accepted, begins=not repeated)
    now = await state_of(request)
    done = volumes.still_there(now, name) if repeated else await volumes.remove(backend_of(request), now, name)
    if not repeated:
        conclude(request, End("failed" if done.kept else "done", done.words))
    told: VolumeRemoved = {
        "revision": accepted.revision,
        "volume": name,
        "removed": done.removed,
        "kept": done.kept_on,
    }
    return answer(told)


async def _add_sizes(request: Request, state: State, rows: Sequence[VolumeRow]) -> None:
    if not flag(request, "sizes"):
        return
    sizes = await volume_sizes(
        backend_of(request), state, {node for row in rows for node in row["nodes"]}, SIZE_SECONDS
    )
    for row in rows:
        row["sizes"] = {node: sizes.known.get(node, {}).get(row["name"]) for node in row["nodes"]}
        row["unknown"] = {node: sizes.unknown[node] for node in row["nodes"] if node in sizes.unknown}


SIZES = Query("sizes", "with the sizes as the machines tell them, which add up all files", "flag")
ORDER = ("name", "stack", "key")
ENDPOINTS = (
    listed("/v1/volumes", index, VolumeRow, OF_STACK, SIZES),
    read("/v1/volumes/{name}", show, VolumeShown, SIZES),
    write("DELETE", "/v1/volumes/{name}", remove, VolumeRemoved),
)
