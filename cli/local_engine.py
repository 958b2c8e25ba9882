"""This machine's engine behind the portal's ports: what a person asks of it directly."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing

from cluster.pinning import Resolved
from cluster.registries import Credential, advised, registry_of, repository_of
from engine.port import Engine, EngineError, ImageUnavailable
from portal.backend import EngineFailed


class LocalEngine:
    """Each call raises `portal.backend.EngineFailed`. `name` is the node's."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._name = name

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

    async def digest(self, image: str, credential: Credential | None) -> Resolved:
        """See `portal.backend.Registries`. What is here and of no registry is asked of none."""
        try:
            here = await self._engine.image(image)
            if here is not None and not any(repository_of(one) == repository_of(image) for one in here.digests):
                return Resolved(problem=f"it is {self._name}'s own: pulled from no registry and pushed to none")
            return Resolved(await self._engine.digest(image, credential))
        except EngineError as error:
            trouble = error.trouble if isinstance(error, ImageUnavailable) else ""
            username = credential.username if credential else ""
            return Resolved(problem=advised(str(error), trouble, registry_of(image), username))

    async def sign_in(self, registry: str, credential: Credential) -> None:
        """See `portal.backend.Registries`."""
        try:
            await self._engine.sign_in(registry, credential)
        except EngineError as error:
            raise EngineFailed(f"{error}; nothing is kept") from error

    async def image_id(self, reference: str) -> str:
        """The content id of an image that is here; empty where it is not."""
        try:
            image = await self._engine.image(reference)
        except EngineError as error:
            raise EngineFailed(str(error)) from error
        return image.id if image else ""
