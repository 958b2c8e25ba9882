"""`/v1/events`: what changed, and what changes."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from actors.protocol import Committed, Events, GetEvents
from cluster.model import Event, State
from portal.api.lines import Emit, Lines
from portal.api.problems import Problem
from portal.api.requests import ask, backend_of, flag, listing, whole
from portal.rows import event_row

DEFAULT_LIMIT = 1_000
LARGEST_LIMIT = 10_000
LAST_NUMBER = sys.maxsize
FROM_NOW_ON = GetEvents(0, 0)


async def index(request: Request) -> Response:
    """The first `limit` events after a revision, or the newest without one; with `follow` all, then each new one."""
    after = whole(request.query_params, "after", 0) or 0
    limit = whole(request.query_params, "limit", DEFAULT_LIMIT)
    wanted = GetEvents(after, min(LARGEST_LIMIT, DEFAULT_LIMIT if limit is None else limit))
    events = await ask(request, "senate", wanted, Events)
    if 0 < after < events.compacted:
        text = f"events up to revision {events.compacted} are no longer kept: begin again without `after`"
        raise Problem("not_found", text, status=410)
    if flag(request, "follow"):
        return Lines(lambda emit: _follow(request, wanted, emit))
    revision = events.events[-1].revision if events.events else after
    return listing([event_row(event) for event in events.events], revision)


@dataclass(slots=True)
class _Place:
    """How far a follower was told: up to this event, by the Senate of this epoch; -1 before the first one's word."""

    event: tuple[int, int]
    epoch: int = -1

    def lacks_some_before(self, state: State) -> bool:
        """Whether something may have been committed before this state that nobody told this follower.

        A new Senate begins with the state that it found, and its predecessor may have died between commit and word.
        """
        revision, _ = self.event
        return state.revision > revision and (state.epoch != self.epoch or state.revision > revision + 1)

    def reach(self, state: State) -> None:
        """Everything up to this state was told."""
        self.event = max(self.event, (state.revision, 0))
        self.epoch = state.epoch


async def _follow(request: Request, wanted: GetEvents, emit: Emit) -> None:
    """Listen first and read second, so that nothing between the two is lost; what is heard twice is told once."""
    async with backend_of(request).follow() as messages:
        place = _Place((wanted.after, LAST_NUMBER))
        async for event in _past(request, wanted):
            await emit(event_row(event))
            place.event = (event.revision, event.number)
        async for message in messages:
            if not isinstance(message, Committed):
                continue
            if place.epoch < 0 and wanted == FROM_NOW_ON:
                place.reach(message.state)
            if place.lacks_some_before(message.state):
                async for event in _past(request, GetEvents(place.event[0], LARGEST_LIMIT)):
                    await _tell(event, place, emit)
            for event in message.events:
                await _tell(event, place, emit)
            place.reach(message.state)


async def _tell(event: Event, place: _Place, emit: Emit) -> None:
    if (event.revision, event.number) > place.event:
        await emit(event_row(event))
        place.event = (event.revision, event.number)


async def _past(request: Request, wanted: GetEvents) -> AsyncIterator[Event]:
    """The newest events, or every one after a revision, page by page."""
    page = (await ask(request, "senate", wanted, Events)).events
    for event in page:
        yield event
    while wanted.after and page:
        # A page may end within a revision, whose other events the next one begins with.
        last = page[-1]
        again = GetEvents(last.revision - 1, LARGEST_LIMIT)
        known = (last.revision, last.number)
        page = tuple(
            event
            for event in (await ask(request, "senate", again, Events)).events
            if (event.revision, event.number) > known
        )
        for event in page:
            yield event


ROUTES = (Route("/v1/events", index),)
