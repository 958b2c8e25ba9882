"""The person's terminal, as a command elsewhere is to have it: every key goes there, and its size is told."""

from __future__ import annotations

import os
import signal
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# What ends a program without a word, after which nobody could type in a terminal that is still raw.
DEADLY = (signal.SIGTERM, signal.SIGHUP)


def size(descriptor: int) -> tuple[int, int]:
    """Rows and columns of a terminal; 0 and 0 where it is none."""
    try:
        columns, rows = os.get_terminal_size(descriptor)
    except OSError:
        return 0, 0
    return rows, columns


@contextmanager
def raw(descriptor: int) -> Iterator[None]:
    """Let every key be read as it is, Ctrl-C too. It is put back in the end, whatever ends the program but SIGKILL."""
    before = termios.tcgetattr(descriptor)
    handlers = {number: signal.signal(number, _leave) for number in DEADLY}
    try:
        tty.setraw(descriptor, termios.TCSANOW)
        yield
    finally:
        # At once: to wait until all output is gone could be to wait for ever.
        termios.tcsetattr(descriptor, termios.TCSANOW, before)
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextmanager
def resizes() -> Iterator[int]:
    """A descriptor that can be read after each change of the terminal's size."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = signal.signal(signal.SIGWINCH, lambda number, frame: None)
    wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(wakeup)
        signal.signal(signal.SIGWINCH, before)
        os.close(reader)
        os.close(writer)


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
