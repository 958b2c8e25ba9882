"""The three standard streams: open from the beginning, and no traceback where one of them fails.

It imports nothing that the interpreter has not: `gbnt version` is answered with this alone.
"""

import errno
import os
import sys

NAMES = ("stdin", "stdout", "stderr")

# What a descriptor answers that cannot be written to.
UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})


def open_closed() -> None:
    """Open those that the caller closed on /dev/null: else the next file got their number, and what is said to them.

    What a terminal's encoding lacks is printed as a question mark and ends no command.
    """
    for number, name in enumerate(NAMES):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free, which is this one
            os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w" if number else "r", closefd=False))  # noqa: SIM115 - open to the end
    if sys.stdout.errors == "strict" or sys.stdout.encoding.lower() not in ("utf-8", "utf8"):
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]


def tell(text: str) -> int:
    """Print a text on the standard output, and return the exit status."""
    try:
        print(text, flush=True)
    except OSError as error:
        return failed(error)
    return 0


def failed(error: OSError) -> int:
    """What the system refused, most often the output, as one sentence on the standard error; returns the exit status.

    A reader that left, say `head`, has what it wants: that is no error.
    """
    unwritable = not _flushed()
    if unwritable or isinstance(error, BrokenPipeError):
        # Python must not try again at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return 0
    why = error.strerror or str(error)
    if error.filename is not None:
        words = f"{os.fsdecode(error.filename)}: {why}"
    elif unwritable or error.errno in UNWRITABLE:
        words = f"the output could not be written: {why}; what was asked for may have been done"
    else:
        words = why
    try:
        print(f"error: {words}", file=sys.stderr)
    except OSError:
        pass  # the standard error was what failed: the status alone says so
    return 1


def _flushed() -> bool:
    try:
        sys.stdout.flush()
    except OSError:
        return False
    return True
