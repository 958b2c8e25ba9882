"""This machine's engine behind the portal's ports: what a person asks of it directly."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing

from cluster.model import Task
from engine.docker import DockerEngine
from engine.port import EngineError, LogLine
from portal.backend import EngineFailed


class LocalEngine:
    """Each call raises `portal.backend.EngineFailed`."""

    def __init__(self, engine: DockerEngine) -> None:
        self._engine = engine

    async def logs(
        self, task: Task, container: str, *, follow: bool, tail: int | None, since: float
    ) -> AsyncGenerator[LogLine, None]:
        """See `portal.backend.Logs`."""
        try:
            # Closed at once when the reader leaves: the engine's connection is not for the garbage collector to end.
            async with aclosing(self._engine.logs(container, follow=follow, tail=tail, since=since)) as lines:
                async for line in lines:
                    yield line
        except EngineError as error:
            raise EngineFailed(str(error)) from error

    async def build(
        self, context: AsyncIterator[bytes], tag: str, options: Mapping[str, str]
    ) -> AsyncGenerator[str, None]:
        """See `portal.backend.Build`."""
        try:
            async with aclosing(self._engine.build(context, tag, options)) as lines:
                async for line in lines:
                    yield line
        except EngineError as error:
            raise EngineFailed(str(error)) from error

    async def image_id(self, reference: str) -> str:
        """The content id of an image that is here; empty where it is not."""
        try:
            image = await self._engine.image(reference)
        except EngineError as error:
            raise EngineFailed(str(error)) from error
        return image.id if image else ""
