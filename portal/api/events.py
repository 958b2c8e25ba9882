"""`/v1/events`: what changed, and what changes."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from actors.protocol import Committed, Events, GetEvents
from portal.api.lines import Emit, Lines
from portal.api.problems import Problem
from portal.api.requests import READ_TIMEOUT, ask, backend_of, flag, listing, whole
from portal.backend import Backend
from portal.rows import event_row

DEFAULT_LIMIT = 1_000
LARGEST_LIMIT = 10_000


async def index(request: Request) -> Response:
    """The first `limit` events after a revision, or the newest without one; with `follow` those, and then each as it happens."""
    after = whole(request.query_params, "after", 0) or 0
    limit = whole(request.query_params, "limit", DEFAULT_LIMIT)
    wanted = GetEvents(after, min(LARGEST_LIMIT, DEFAULT_LIMIT if limit is None else limit))
    events = await ask(request, "senate", wanted, Events)
    if 0 < after < events.compacted:
        text = f"events up to revision {events.compacted} are no longer kept: begin again without `after`"
        raise Problem("not_found", text, status=410)
    if flag(request, "follow"):
        backend = backend_of(request)
        return Lines(lambda emit: _follow(backend, wanted, emit))
    revision = events.events[-1].revision if events.events else after
    return listing([event_row(event) for event in events.events], revision)


async def _follow(backend: Backend, wanted: GetEvents, emit: Emit) -> None:
    """Listen first and read second, so that nothing between the two is lost; what is heard twice is told once."""
    async with backend.follow() as messages:
        events = await backend.ask("senate", wanted, READ_TIMEOUT)
        last = (wanted.after, 0)
        for event in events.events if isinstance(events, Events) else ():
            await emit(event_row(event))
            last = (event.revision, event.number)
        async for message in messages:
            for event in message.events if isinstance(message, Committed) else ():
                if (event.revision, event.number) > last:
                    await emit(event_row(event))
                    last = (event.revision, event.number)


ROUTES = (Route("/v1/events", index),)
