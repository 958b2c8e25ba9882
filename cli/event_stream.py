"""Events as they happen, read on where they were when the manager was away; and those that are chosen of the past."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from cli.client import Client
from cli.errors import Unreachable

if TYPE_CHECKING:
    from portal.shapes import EventRow

PAUSE = 1.0
PATIENCE = 60.0
PAGE = 10_000


def follow_events(client: Client, after: int | None, limit: int) -> Iterator[EventRow]:
    """The newest `limit` events after a revision, and each new one, none twice and none left out.

    Raises Unreachable where no manager answers at first, and where one stays away for PATIENCE seconds.
    """
    place = None if after is None else str(after)
    lost_at: float | None = None
    reached = False

    def opened() -> None:
        nonlocal lost_at, reached
        lost_at, reached = None, True  # on a quiet cluster nothing else tells that the manager is back

    while True:
        try:
            for row in client.follow_events(place, limit, opened):
                place = _place(row)
                yield row
            return
        except Unreachable as error:
            if not (reached or error.sent) or (lost_at is not None and time.monotonic() - lost_at >= PATIENCE):
                raise
            if lost_at is None:
                lost_at = time.monotonic()
                print(f"{error}; the events are read on when it is back", file=sys.stderr)
            time.sleep(PAUSE)


def chosen_events(client: Client, after: int | None, limit: int, wanted: Callable[[EventRow], bool]) -> list[EventRow]:
    """The first `limit` events after a revision that are wanted; without one the newest, of the last PAGE events."""
    page = client.events(after, PAGE)
    if after is None:
        return [row for row in page if wanted(row)][-limit:]
    found = [row for row in page if wanted(row)]
    while page and len(found) < limit:
        page = client.events(_place(page[-1]), PAGE)
        found += filter(wanted, page)
    return found[:limit]


def _place(row: EventRow) -> str:
    return f"{row['revision']}.{row['number']}"
