"""The file system that holds an engine's data, where this process can see it."""

from __future__ import annotations

import os
from threading import Lock

from anyio import move_on_after, to_thread

from cluster.capacity import Disk

PATIENCE = 10.0


class DataDisk:
    """Looks at the disk of the engine at `host`, a URL as in `DOCKER_HOST`."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._looking = Lock()

    async def look(self, root: str) -> Disk:
        """The disk that the engine's folder of data is on; one that does not answer within 10 s is unknown."""
        if not self._host.startswith("unix://"):
            return Disk(root, unknown=f"the engine is reached at {self._host}: gbnt looks at disks of its own machine")
        with move_on_after(PATIENCE):
            return await to_thread.run_sync(self._look, root, abandon_on_cancel=True)
        return _silent(root)

    def _look(self, root: str) -> Disk:
        """A file system that hangs keeps its thread for ever: one, and not one more with each look."""
        if not self._looking.acquire(blocking=False):
            return _silent(root)
        try:
            return _disk(root)
        finally:
            self._looking.release()


def _disk(root: str) -> Disk:
    try:
        found = os.statvfs(root)
    except OSError as error:
        return Disk(
            root, unknown=f"gbnt does not see {root} ({error.strerror}): where it runs in a container, mount it"
        )
    # What only root may still use is neither used nor free.
    total = (found.f_blocks - found.f_bfree + found.f_bavail) * found.f_frsize
    return Disk(root, total, found.f_bavail * found.f_frsize, unknown="")


def _silent(root: str) -> Disk:
    return Disk(root, unknown=f"the file system of {root} does not answer")
