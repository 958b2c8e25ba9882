"""This machine's engine behind the portal's ports: what a person asks of it directly."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing

from engine.docker import DockerEngine
from engine.port import EngineError
from portal.backend import EngineFailed


class LocalEngine:
    """Each call raises `portal.backend.EngineFailed`."""

    def __init__(self, engine: DockerEngine) -> None:
        self._engine = engine

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
