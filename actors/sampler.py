"""How busy containers are, as the engine counts it: asked once for all who want to know at about the same time."""

from __future__ import annotations

from collections.abc import Iterable

import anyio

from cluster.load import Sample
from engine.port import Engine, EngineError, EngineUnavailable

FRESH = 0.5
"""Seconds that a sample is good for. Nobody looks twice in less time, so each look of theirs finds another one."""
# More at a time only queue inside the engine.
AT_ONCE = 8


class Sampler:
    """Takes samples, and keeps them for as long as they are fresh."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._taken: dict[str, tuple[float, Sample | None]] = {}

    async def take(self, containers: Iterable[str]) -> dict[str, Sample]:
        """Samples of these containers, and of others. Not to be called again until it returns.

        One that the engine has no word on is left out: the others are busy all the same. Raises EngineUnavailable.
        """
        stale, limiter = anyio.current_time() - FRESH, anyio.CapacityLimiter(AT_ONCE)
        self._taken = {id: (at, sample) for id, (at, sample) in self._taken.items() if at > stale}
        try:
            async with anyio.create_task_group() as group:
                for container in dict.fromkeys(containers):
                    if container not in self._taken:
                        group.start_soon(self._sample, container, limiter)
        except* EngineUnavailable as errors:
            raise errors.exceptions[0] from None
        return {id: sample for id, (_, sample) in self._taken.items() if sample is not None}

    async def _sample(self, container: str, limiter: anyio.CapacityLimiter) -> None:
        async with limiter:
            try:
                found = await self._engine.sample(container)
            except EngineUnavailable:
                raise
            except EngineError:
                found = None
        self._taken[container] = anyio.current_time(), found
