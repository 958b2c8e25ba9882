"""A person at a terminal: types, sees what is written, and drags the window."""

from __future__ import annotations

import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import ioctl

PATIENCE = 30.0


@dataclass(slots=True)
class Person:
    """At the terminal in which a program runs. `seen` is all that was written to it."""

    terminal: int
    slave: int
    process: subprocess.Popen[bytes]
    seen: bytes = b""

    def type(self, text: bytes) -> None:
        """Press these keys."""
        os.write(self.terminal, text)

    def drag(self, rows: int, columns: int) -> None:
        """Give the window another size."""
        ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def sees(self, text: bytes, patience: float = PATIENCE) -> bytes:
        """Wait until something is written, and return what came up to its end. Fails with what came instead."""
        deadline = time.monotonic() + patience
        while text not in self.seen:
            ready, _, _ = select.select([self.terminal], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise AssertionError(f"{text!r} was not seen within {patience:g} s, but {self.seen!r}")
            self._read()
        before, _, self.seen = self.seen.partition(text)
        return before + text

    def waits(self) -> int:
        """Wait until the program has ended, reading on; its exit status."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it did not end; last was seen {self.seen!r}"
            if select.select([self.terminal], [], [], 0.05)[0]:
                self._read()
        while select.select([self.terminal], [], [], 0.0)[0]:
            self._read()
        return self.process.returncode

    def is_cooked(self) -> bool:
        """Whether the terminal is as a shell wants it: it echoes, and knows Ctrl-C."""
        local = termios.tcgetattr(self.slave)[3]
        return bool(local & termios.ECHO and local & termios.ISIG and local & termios.ICANON)

    def _read(self) -> None:
        self.seen += os.read(self.terminal, 1 << 16)


def _sit_down() -> None:
    """As a shell has its programs: tests that run in the background would pass on that they do not hear Ctrl-C."""
    ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def at_terminal(
    command: Sequence[str], environment: dict[str, str], rows: int = 24, columns: int = 80
) -> Iterator[Person]:
    """Run a program in a terminal of its own. It is killed in the end."""
    master, slave = pty.openpty()
    ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(
        command,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment,
        start_new_session=True,
        preexec_fn=_sit_down,
    )
    try:
        yield Person(master, slave, process)
    finally:
        process.kill()
        process.wait()
        os.close(slave)
        os.close(master)
