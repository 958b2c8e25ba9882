"""What a node measures while it works: how long things took, kept for whoever scrapes it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from anyio import to_thread
from starlette.responses import Response

from portal.metrics import Sight

if TYPE_CHECKING:
    from portal.exporter import Exporter

EARLY = 500
NONE: Mapping[str, str] = {}


class Meters:
    """The meters of one node that runs this `version`. All is called from the event loop's thread.

    What counts them takes a tenth of a second to load and some megabytes, which no start is to wait for: until somebody
    looks, or `settle` finds `EARLY` durations, they are kept as they come.
    """

    def __init__(self, version: str) -> None:
        self._version = version
        self._early: list[tuple[str, float, Mapping[str, str]]] = []
        self._exporter: Exporter | None = None

    def observe(self, name: str, seconds: float, labels: Mapping[str, str] = NONE) -> None:
        """Something took that long: one of `portal.metrics.TIMINGS`, with the labels that are named there."""
        if self._exporter is None:
            self._early.append((name, seconds, labels))
        else:
            self._exporter.observe(name, seconds, labels)

    async def settle(self) -> None:
        """Count what was kept until now, where that has become too much to keep: to be called from time to time."""
        if len(self._early) >= EARLY:
            await self._opened()

    async def exposition(self, sight: Sight) -> Response:
        """The answer to a scrape: what was measured until now, and what is seen now."""
        return (await self._opened()).exposition(sight)

    async def _opened(self) -> Exporter:
        if self._exporter is None:
            await to_thread.run_sync(import_module, "portal.exporter")  # the event loop turns meanwhile
        if self._exporter is None:  # nor did somebody else open it meanwhile
            from portal.exporter import Exporter

            self._exporter = Exporter(self._version)
            for name, seconds, labels in self._early:
                self._exporter.observe(name, seconds, labels)
            self._early.clear()
        return self._exporter
