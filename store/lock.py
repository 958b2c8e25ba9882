"""One gbnt for each store: a lock that the kernel lets go of when its process ends, however it ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from store.contract import Locked


class StoreLock:
    """An exclusive lock beside the database file."""

    def __init__(self, database: Path) -> None:
        """Take the lock of `database`, or raise Locked naming the process that has it."""
        self.path = database.with_name(f"{database.name}.lock")
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise Locked(
                f"{database} is in use by another gbnt (pid {holder}): stop that one, or choose another --data-dir"
            ) from None
        with contextlib.suppress(OSError):  # the number is for a message; a full disk is no reason to go without a lock
            # In the place of the one before, for room that was given up on a full disk is not to be had again.
            os.pwrite(descriptor, f"{os.getpid():<15}\n".encode("ascii"), 0)
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        """Let go; a second call does nothing. The file stays: removing it would let two processes lock two files."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
