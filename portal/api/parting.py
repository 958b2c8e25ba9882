"""What ends a stream from this side: the manager stops, or who came in for it may do so no more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from starlette.types import Scope

from portal.api.problems import Problem

CLOSING = "gbnt.closing"
DISMISSED = "gbnt.dismissed"
"""The keys of an ASGI scope under which a server puts the event that it sets when it is to stop, and the doorkeeper
what returns once the token that came is good no more, or for less."""


async def parting(scope: Scope) -> Problem:
    """Wait until a stream has to end, and return why; its reader may be told what to do, beside."""
    closing: anyio.Event = scope.get(CLOSING) or anyio.Event()
    dismissed: Callable[[], Awaitable[object]] = scope.get(DISMISSED) or anyio.sleep_forever
    reasons: list[Problem] = []
    async with anyio.create_task_group() as race:

        async def when(happened: Callable[[], Awaitable[Any]], code: str, words: str) -> None:
            await happened()
            reasons.append(Problem(code, words))
            race.cancel_scope.cancel()

        race.start_soon(when, closing.wait, "unavailable", "the manager stops")
        race.start_soon(when, dismissed, "unauthorized", "the token that this came in by is good no more, or for less")
    return reasons[0]
