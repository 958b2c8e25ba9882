"""Whether paths are there on the machine of an engine, where this process sees the files that its engine sees."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Sequence
from threading import Lock

from anyio import move_on_after, to_thread

from cluster.binds import Presence

PATIENCE = 2.0
UNIX = "unix://"
_CREDENTIALS = struct.Struct("3i")


class HostPaths:
    """Looks at the machine of the engine at `host`, a URL as in `DOCKER_HOST`."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._looking = Lock()

    async def look(self, paths: Sequence[str]) -> Presence:
        """Which of these absolute paths are missing; one that does not answer within 2 s leaves all unknown."""
        if not self._host.startswith(UNIX):
            return Presence(unknown=f"its engine is reached at {self._host}")
        with move_on_after(PATIENCE):
            return await to_thread.run_sync(self._look, paths, abandon_on_cancel=True)
        return _silent()

    def _look(self, paths: Sequence[str]) -> Presence:
        """A file system that hangs keeps its thread for ever: one, and not one more with each look."""
        if not self._looking.acquire(blocking=False):
            return _silent()
        try:
            if not _same_files(self._host.removeprefix(UNIX)):
                return Presence(unknown="gbnt does not see its engine's files, as in a container of its own")
            return Presence(tuple(path for path in paths if not os.path.lexists(path)))
        finally:
            self._looking.release()


def _same_files(path: str) -> bool:
    """Whether who listens on a socket has our root folder: to a container of our own it is another, or hidden."""
    try:
        with socket.socket(socket.AF_UNIX) as engine:
            engine.settimeout(PATIENCE)
            engine.connect(path)
            said = engine.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        pid = _CREDENTIALS.unpack(said)[0]
        return bool(pid) and os.path.samestat(os.stat("/"), os.stat(f"/proc/{pid}/root"))
    except OSError:
        return False


def _silent() -> Presence:
    return Presence(unknown="a file system there does not answer")
