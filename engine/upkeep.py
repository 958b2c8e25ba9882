"""The part of the port to an engine that is about its room and its load, for `engine.port.Engine` to have.

It raises the errors that are drawn there.
"""

from __future__ import annotations

from typing import Protocol

from cluster.capacity import Disk
from cluster.load import Load, Sample
from cluster.usage import Usage


class Upkeep(Protocol):
    """What an engine keeps and how busy it is. Every method raises EngineUnavailable where it does not answer."""

    async def disk(self) -> Disk:
        """The file system that holds its data; one that cannot be seen from here says why."""

    async def usage(self) -> Usage:
        """All images, containers and volumes with their sizes. It may look at every file: that takes its time.

        Who asks while it does so for others has an answer after that.
        """

    async def remove_image(self, reference: str) -> None:
        """Take a name of an image away, and the image with its last one; one that is gone is fine.

        Raises Conflict while a container is of it, running or not.
        """

    async def sample(self, container: str) -> Sample | None:
        """The counters of a container; None where it does not run, or is gone."""

    async def load(self) -> Load:
        """How busy its machine is; where that cannot be seen from here it says why."""
