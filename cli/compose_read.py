"""Reading a file that a person or a compose file names: a regular file, of bounded size."""

from __future__ import annotations

import errno
import os
import stat
import sys

LARGEST_FILE = 4 * 1024 * 1024


def read(path: str) -> bytes:
    """The bytes of a regular file of bounded size, or of the standard input for `-`. Raises OSError."""
    if path == "-":
        data = sys.stdin.buffer.read(LARGEST_FILE + 1)
    else:
        # Opened before it is looked at, and without waiting: a named pipe would be waited for for ever.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise OSError(errno.EINVAL, "it is no regular file; `-c -` reads the standard input")
            data = file.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise OSError(errno.EFBIG, f"it is larger than {LARGEST_FILE >> 20} MiB: is it the one?")
    return data
