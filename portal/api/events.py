"""`/v1/events`: what changed, and what changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import Response

from actors.protocol import Events, GetEvents
from actors.protocol.questions import LAST_NUMBER
from cluster.event import Event
from portal.api.access import caller_of, may
from portal.api.endpoint import Query, feed
from portal.api.feed import Feed
from portal.api.lines import Emit, Lines
from portal.api.problems import Problem
from portal.api.requests import answer, ask, backend_of, flag, state_of, whole
from portal.backend import Told
from portal.rows import event_row
from portal.shapes import EventRow

DEFAULT_LIMIT = 1_000
LARGEST_LIMIT = 10_000
LONGEST_NUMBER = 18


async def index(request: Request) -> Response:
    """The first `limit` events after a place, or the newest without one; with `follow` all, then each new one.

    Those of users and of tokens are for admins alone. Who accepts `text/event-stream` follows, too, by server-sent
    events. The id of each is its event's place, which `Last-Event-ID` goes on after.
    """
    revision, number = _place(request)
    present = (await state_of(request)).revision  # before the events are read: who follows from it misses none
    if revision > present:
        text = f"there is no event {revision} yet, for the cluster is at revision {present}"
        raise Problem("invalid", f"{text}: it went back to an older state, or the place is of another cluster")
    limit = whole(request.query_params, "limit", DEFAULT_LIMIT)
    discreet = not may(caller_of(request), "admin")
    wanted = GetEvents(revision, min(LARGEST_LIMIT, DEFAULT_LIMIT if limit is None else limit), number, discreet)
    events = await _page(request, wanted)
    if Feed.media_type in request.headers.get("accept", ""):
        return Feed(lambda emit: _follow(request, wanted, emit))
    if flag(request, "follow"):
        return Lines(lambda emit: _follow(request, wanted, emit))
    return answer({"items": list(map(event_row, events)), "revision": present})


def _place(request: Request) -> tuple[int, int]:
    """The last event that the client knows; revision 0 where it knows none. Raises Problem."""
    text = request.headers.get("last-event-id") or request.query_params.get("after") or "0"
    revision, dot, number = text.partition(".")
    if not _is_whole(revision) or (dot and not _is_whole(number)):
        raise Problem("invalid", f'"after" must be a revision, or REVISION.NUMBER of an event, not "{text[:40]}"')
    return int(revision), int(number) if dot else LAST_NUMBER


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER


@dataclass(slots=True)
class _Place:
    """How far a follower was told: up to this event, by the Senate of this epoch; -1 before the first one's word."""

    event: tuple[int, int]
    epoch: int = -1

    def lacks_some_before(self, commit: Told) -> bool:
        """Whether something may have been committed before this that nobody told this follower.

        A new Senate begins with the state that it found, and its predecessor may have died between commit and word.
        """
        revision, _ = self.event
        return commit.revision > revision and (commit.epoch != self.epoch or commit.revision > revision + 1)

    def reach(self, commit: Told) -> None:
        """Everything up to this was told."""
        self.event = max(self.event, (commit.revision, LAST_NUMBER))
        self.epoch = commit.epoch


async def _follow(request: Request, wanted: GetEvents, emit: Emit) -> None:
    """Listen first and read second, so that nothing between the two is lost; what is heard twice is told once."""
    async with backend_of(request).follow() as messages:
        place = _Place((wanted.after, wanted.number))
        async for event in _past(request, wanted):
            await _tell(event, place, emit)
        async for message in messages:
            if not isinstance(message, Told):
                continue
            if place.epoch < 0 and not wanted.after and not wanted.limit:  # from now on
                place.reach(message)
            if place.lacks_some_before(message):
                revision, number = place.event
                again = replace(wanted, after=revision, number=number, limit=LARGEST_LIMIT)
                async for event in _past(request, again):
                    await _tell(event, place, emit)
            for event in message.events:
                if not (wanted.discreet and event.is_for_admins):
                    await _tell(event, place, emit)
            place.reach(message)


async def _tell(event: Event, place: _Place, emit: Emit) -> None:
    if (event.revision, event.number) > place.event:
        await emit(event_row(event))
        place.event = (event.revision, event.number)


async def _page(request: Request, wanted: GetEvents) -> tuple[Event, ...]:
    """The events; raises Problem where some after the place are no longer kept, rather than leave them out."""
    events, place = await ask(request, "senate", wanted, Events), (wanted.after, wanted.number)
    if wanted.after and place < (events.compacted, LAST_NUMBER):
        text = f"events up to revision {events.compacted} are no longer kept: read anew what you follow, then follow"
        raise Problem("gone", f"{text} from the revision of that answer on")
    return events.events


async def _past(request: Request, wanted: GetEvents) -> AsyncIterator[Event]:
    """The newest events, or every one after a place, page by page."""
    page = await _page(request, wanted)
    for event in page:
        yield event
    while wanted.after and page:
        again = replace(wanted, after=page[-1].revision, number=page[-1].number, limit=LARGEST_LIMIT)
        page = await _page(request, again)
        for event in page:
            yield event


AFTER = Query("after", "those after this revision, or after `REVISION.NUMBER`, an event's own place")
LIMIT = Query("limit", "so many at most", "whole")
FOLLOW = Query("follow", "then each new one as it happens", "flag")
ENDPOINTS = (feed("/v1/events", index, EventRow, AFTER, LIMIT, FOLLOW),)
