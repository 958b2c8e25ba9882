"""`/v1/system`: what the engines of all machines keep, and putting away what nothing needs."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from portal.api.bodies import body_of
from portal.api.endpoint import LIST, Query, streamed, streaming_write
from portal.api.lines import Emit, Lines
from portal.api.pruning import PruneLine, Pruner, Pruning
from portal.api.requests import backend_of, flag, state_of
from portal.machines import at_all
from portal.usage import UsageLine, usage_line

LARGEST = 4 * 1024 * 1024


async def df(request: Request) -> Response:
    """What every machine's engine keeps, in sums by kind: a line for each as soon as it has said."""
    backend, state = backend_of(request), await state_of(request)

    async def produce(emit: Emit) -> None:
        await at_all(state, lambda node: usage_line(backend, node), emit)

    return Lines(produce)


async def prunable(request: Request) -> Response:
    """What a pruning would put away now: nothing is changed by asking."""
    names = tuple(name for name in request.query_params.get("volumes", "").split(",") if name)
    wanted = Pruning(flag(request, "all_images"), flag(request, "all_volumes"), names)
    return Lines(Pruner(request, await state_of(request), wanted, dry=True).run)


async def prune(request: Request) -> Response:
    """Put away what nothing needs: a line for each machine as soon as it is done, and then one for each volume."""
    wanted = await body_of(request, Pruning, LARGEST)
    pruner = Pruner(request, await state_of(request), wanted, dry=False)
    return Lines(pruner.run, so_far=pruner.so_far)


PRUNE = "/v1/system/prune"
ENDPOINTS = (
    streamed("/v1/system/df", df, UsageLine),
    streamed(
        PRUNE,
        prunable,
        PruneLine,
        Query("all_images", "every image that no container is of and no stack may go back to", "flag"),
        Query("all_volumes", "all volumes that no stack names or may go back to, and no task uses", "flag"),
        Query("volumes", "these volumes, as NAME,NAME", longest=LIST),
    ),
    streaming_write("POST", PRUNE, prune, PruneLine, body=Pruning),
)
