"""Finds out when a way is open again: asks anew, and does not wait for what was lost to be sent again."""

from __future__ import annotations

import anyio

AGAIN = 0.3
"""Seconds until the next attempt. A kernel sends a lost first packet again after 1 s, then after 2 more, 4 more."""


async def reach(host: str, port: int, seconds: float) -> None:
    """Return as soon as a connection to `host` comes about; it is closed at once.

    Attempts overlap, so that a long way is given its time. Raises OSError where one is refused, and TimeoutError
    where none comes about within so many seconds.
    """
    refusals: list[OSError] = []

    async def attempt() -> None:
        try:
            stream = await anyio.connect_tcp(host, port)
            await stream.aclose()
        except OSError as error:
            refusals.append(error)
        attempts.cancel_scope.cancel()

    with anyio.fail_after(seconds):
        async with anyio.create_task_group() as attempts:
            while True:
                attempts.start_soon(attempt)
                await anyio.sleep(AGAIN)
    if refusals:
        raise refusals[0]
