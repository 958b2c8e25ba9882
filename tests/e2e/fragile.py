"""`gbnt serve` that is killed again and again: `python -m tests.e2e.fragile SEED LIVES DEATHS serve ...`.

Each life is a process of its own, forked from one that has only imported, so that a hundred lives do not read the same
modules a hundred times. It ends by SIGKILL at a point of the seed's choosing: within a commit (see `store.sqlite`),
around a call that changes something in the engine, or at any moment. The file DEATHS gets a line for each: what ended
it. After the last one this process becomes the gbnt that is shipped.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import cli.commands.serve
import cli.serve  # noqa: F401 (what a life needs is read before the first one begins)
from cli.main import run
from engine.docker_connection import Connection
from store.sqlite import SqliteStore

POINTS = ("before-commit", "after-commit", "before-call", "after-call", "anywhere")
LONGEST_LIFE = 3.0
PR_SET_PDEATHSIG = 1


class Fate:
    """Kills this process at the n-th passing of a point."""

    def __init__(self, point: str, passings: int) -> None:
        self._point = point
        self._left = passings

    def __call__(self, point: str) -> None:
        self._left -= point == self._point
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def arm(self) -> None:
        """Have the store and the engine's connection pass the points."""
        plain = Connection.json

        async def json(connection: Connection, method: str, path: str, **details: Any) -> Any:
            if method == "GET":
                return await plain(connection, method, path, **details)
            self("before-call")
            answer = await plain(connection, method, path, **details)
            self("after-call")
            return answer

        setattr(Connection, "json", json)
        setattr(SqliteStore, "open", partial(SqliteStore.open, fault=self))


def live(arguments: list[str], fate: Fate) -> int:
    """Begin a life; its process id."""
    if pid := os.fork():
        return pid
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    fate.arm()
    os._exit(run(arguments))


def end(pid: int, deadline: float) -> str:
    """Wait for a life's end, and bring it about at the deadline; how it ended where that was not foreseen."""
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return "" if os.WIFSIGNALED(status) else f"exit {os.waitstatus_to_exitcode(status)}"
        time.sleep(0.005)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return "anywhere"


def main(seed: str, lives: str, deaths: str, *arguments: str) -> None:
    dice = Random(seed)
    with Path(deaths).open("a", buffering=1) as told:
        for _ in range(int(lives)):
            point = dice.choice(POINTS)
            pid = live([*arguments], Fate(point, dice.randint(1, 6)))
            longest = dice.uniform(0.05, 1.5) if point == "anywhere" else LONGEST_LIFE
            print(end(pid, time.monotonic() + longest) or point, file=told)
    os.execv(sys.executable, (sys.executable, "-m", "gubernator", *arguments))


if __name__ == "__main__":
    main(*sys.argv[1:])
