"""Events as they happen, read on where they were when the manager was away."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

from cli.client import Client
from cli.errors import Unreachable
from cli.table import Row

PAUSE = 1.0
PATIENCE = 60.0


def follow_events(client: Client, after: int | None, limit: int) -> Iterator[Row]:
    """The newest `limit` events after a revision, and each new one, none twice and none left out.

    Raises Unreachable where no manager answers at first, and where one stays away for PATIENCE seconds.
    """
    place, lost_at, reached = None if after is None else str(after), 0.0, False
    while True:
        try:
            for row in client.follow_events(place, limit):
                place, lost_at, reached = f"{row['revision']}.{row['number']}", 0.0, True
                yield row
            return
        except Unreachable as error:
            if not (reached or error.sent) or (lost_at and time.monotonic() - lost_at >= PATIENCE):
                raise
            if not lost_at:
                lost_at = time.monotonic()
                print(f"{error}; the events are read on when it is back", file=sys.stderr)
            time.sleep(PAUSE)
