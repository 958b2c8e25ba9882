"""Room on the disk: how its lack is known, and what is put by so that a start finds some on a full one."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

SIZE = 1 << 20
_LEAST = 64 << 10  # a start takes the log's index and a few pages, half of this
_SPARE = 16  # so many times its size must be free before any is put by: it is not to be what fills the disk

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


def is_for_want_of_room(error: Exception) -> bool:
    """Whether the system refused because disk or quota are full."""
    return isinstance(error, OSError) and error.errno in _NO_ROOM


def is_left(folder: Path) -> bool:
    """Whether disk and quota would take SIZE bytes more in this folder. True too where that cannot be found out."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            os.posix_fallocate(file.fileno(), 0, SIZE)
    except OSError as error:
        return not is_for_want_of_room(error)
    return True


class Ballast:
    """A file of no use but its size, beside the database. A start on a full disk throws half of it out, and then fits.

    Half, for the next start may find the disk full as well.
    """

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(f"{database.name}.ballast")

    def take_in(self) -> bool:
        """Put by what is missing where there is plenty of room; whether all is there."""
        if self._size() >= SIZE:
            return True
        try:
            disk = os.statvfs(self.path.parent)
            if disk.f_bavail * disk.f_frsize < _SPARE * SIZE:
                return False
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, SIZE)
            finally:
                os.close(descriptor)
        except OSError:
            return False  # a quota, or a disk that is not well: nobody is worse off than without it
        return True

    def throw_out(self) -> bool:
        """Give half of what is there to who needs it now; whether there was any."""
        half = self._size() // 2
        try:
            if half >= _LEAST:
                os.truncate(self.path, half)
            else:
                self.path.unlink()
        except OSError:
            return False
        return True

    def _size(self) -> int:
        try:
            return self.path.stat().st_size
        except OSError:
            return 0
