"""Where a machine keeps the files of configs: a folder that only its owner enters, and that engines mount from."""

from __future__ import annotations

import os
from collections.abc import Collection
from functools import partial
from pathlib import Path

from anyio import to_thread

from actors.configs import Unplaced
from cli.home import write_pieces
from cluster.configs import ConfigFile, digest_of
from engine.own_container import outside, own_container
from engine.port import Engine

MOUNTINFO = Path("/proc/self/mountinfo")


class FileConfigs:
    """Implements `actors.configs.ConfigFolder`. Where gbnt is in a container, `engine` tells what that has mounted."""

    def __init__(self, folder: Path, engine: Engine, mountinfo: Path = MOUNTINFO) -> None:
        self._folder = folder.resolve()
        self._engine = engine
        self._mountinfo = mountinfo
        self._outside = ""

    async def find(self, file: ConfigFile) -> str:
        """See `actors.configs.ConfigFolder`."""
        self._outside = self._outside or await self._seen_by_engine()
        there = await to_thread.run_sync(_is_whole, self._folder / file.file_name, file)
        return f"{self._outside}/{file.file_name}" if there else ""

    async def put(self, file: ConfigFile, content: bytes) -> None:
        """See `actors.configs.ConfigFolder`."""
        try:
            await to_thread.run_sync(_write, self._folder / file.file_name, file, content)
        except PermissionError as error:
            owner = f"user {file.uid} and group {file.gid}"
            raise Unplaced(f"it cannot be written for {owner} into {self._folder}: run gbnt as root") from error
        except OSError as error:
            raise Unplaced(f"it cannot be written into {self._folder}: {error.strerror}") from error

    async def keep(self, names: Collection[str]) -> None:
        """See `actors.configs.ConfigFolder`."""
        try:
            await to_thread.run_sync(_remove_others, self._folder, names)
        except OSError as error:
            raise Unplaced(f"{self._folder} keeps files that no task needs: {error.strerror}") from error

    async def _seen_by_engine(self) -> str:
        try:
            own = own_container(await to_thread.run_sync(self._mountinfo.read_text))
        except OSError:
            own = ""
        container = await self._engine.container(own) if own else None
        if container is None:  # on the machine itself, or in a container that has this engine in it
            return str(self._folder)
        found = outside(str(self._folder), container.mounts)
        if not found:
            raise Unplaced(
                f"the engine cannot mount it from {self._folder}, which is inside gbnt's own container, "
                f"{container.name}, and on no mount of that: start gbnt with a volume there"
            )
        return found


def _is_whole(path: Path, file: ConfigFile) -> bool:
    try:
        found = path.stat()
        wanted = (file.uid, file.gid, file.mode)
        same = (found.st_uid, found.st_gid, found.st_mode & 0o7777) == wanted
        return same and digest_of(path.read_bytes()) == file.digest
    except FileNotFoundError:
        return False
    except OSError as error:
        raise Unplaced(f"it cannot be read in {path.parent}: {error.strerror}") from error


def _write(path: Path, file: ConfigFile, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    write_pieces(path, (content,), partial(_hand_over, file))


def _hand_over(file: ConfigFile, descriptor: int) -> None:
    """Give an open file its owner, and then its mode: a change of owner takes set-user-id away."""
    now = os.fstat(descriptor)
    if (now.st_uid, now.st_gid) != (file.uid, file.gid):
        os.fchown(descriptor, file.uid, file.gid)
    os.fchmod(descriptor, file.mode)


def _remove_others(folder: Path, names: Collection[str]) -> None:
    for path in folder.iterdir() if folder.exists() else ():
        if path.name not in names:
            path.unlink(missing_ok=True)
