"""Lives of `gbnt serve` that end by SIGKILL at a chosen point: `python -m tests.e2e.doomed WORDS...`.

For each line on its input, `after-commit:3 2.5`, this process forks one that runs `gbnt WORDS...` and kills itself when
it passes that point for the third time; if that has not come within 2.5 seconds it is killed then. What ended the life
is told in a line of output. Forked from a process that has only imported, a life begins at once.

The store's points are `before-begin`, `before-commit` and `after-commit`, the engine's `before-call` and `after-call`,
counted over the calls that change something.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from functools import partial
from typing import Any
from unittest.mock import patch

import cli.commands.serve
import cli.serve  # noqa: F401 - what a life needs is imported before the first one begins
from cli.main import run
from engine.docker_connection import Connection
from store.sqlite import SqliteStore

POINTS = ("before-begin", "before-commit", "after-commit", "before-call", "after-call")
BY_THE_CLOCK = "by the clock"


class Doom:
    """Counts how often its point was passed, and ends the process at the last time: nothing is closed or said."""

    def __init__(self, point: str, passings: int) -> None:
        self._point = point
        self._left = passings

    def passes(self, point: str) -> None:
        """Go on, or end here."""
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


class DoomedConnection(Connection):
    """The engine's connection, with a doom on either side of each call that changes something."""

    doom: Doom

    async def json(self, method: str, path: str, **rest: Any) -> Any:
        if method == "GET":
            return await super().json(method, path, **rest)
        self.doom.passes("before-call")
        answer = await super().json(method, path, **rest)
        self.doom.passes("after-call")
        return answer


def live(words: list[str], doom: Doom) -> int:
    """Run `gbnt` with these words, doomed."""
    DoomedConnection.doom = doom
    opened = partial(SqliteStore.open, fault=doom.passes)
    with patch("engine.docker.Connection", DoomedConnection), patch.object(SqliteStore, "open", opened):
        return run(words)


def begin(words: list[str], doom: Doom) -> int:
    """Begin a life in a process of its own; its id."""
    if pid := os.fork():
        return pid
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    os._exit(live(words, doom))


def end(pid: int, point: str, seconds: float) -> str:
    """Wait for the end of a life, or bring it about; what ended it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            return point if code == -signal.SIGKILL else f"exit {code}"
        time.sleep(0.005)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return BY_THE_CLOCK


def main(words: list[str]) -> None:
    for line in sys.stdin:
        fate, seconds = line.split()
        point, _, passings = fate.partition(":")
        ended_by = end(begin(words, Doom(point, int(passings))), point, float(seconds))
        sys.stdout.write(f"{ended_by}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
