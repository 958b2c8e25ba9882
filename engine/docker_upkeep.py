"""Room and load of a Docker Engine, for `DockerEngine` to have: an `engine.upkeep.Upkeep`."""

from __future__ import annotations

import anyio

from cluster.load import Load, Sample
from cluster.usage import Usage
from engine.docker_connection import Connection, path
from engine.docker_load import machine_load
from engine.docker_stats import sample_of
from engine.docker_usage import usage_of
from engine.port import Conflict, NotFound

# It adds up the files of each volume, and for nobody else meanwhile.
USAGE_SECONDS, BUSY_PAUSE = 600.0, 0.5


class DockerUpkeep:
    """Asks through the `_engine` of who has it."""

    _engine: Connection

    async def usage(self) -> Usage:
        about, params = ("usage", "what it keeps"), {"verbose": "1"}
        patience = anyio.current_time() + USAGE_SECONDS
        while True:
            try:
                found = await self._engine.json("GET", "system/df", about=about, params=params, seconds=USAGE_SECONDS)
                return usage_of(found)
            except Conflict:
                if anyio.current_time() >= patience:
                    raise
                await anyio.sleep(BUSY_PAUSE)

    async def remove_image(self, reference: str) -> None:
        try:
            await self._engine.json("DELETE", path("images", reference), about=("image", f"image {reference}"))
        except NotFound:
            return

    async def sample(self, container: str) -> Sample | None:
        # Without `one-shot` it looks twice, a second apart.
        where, params = path("containers", container, "stats"), {"stream": "false", "one-shot": "true"}
        try:
            found = await self._engine.json("GET", where, about=("stats", f"container {container[:12]}"), params=params)
        except NotFound:
            return None
        return sample_of(found)

    async def load(self) -> Load:
        return machine_load(self._engine.host)
