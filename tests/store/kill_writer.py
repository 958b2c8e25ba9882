"""A process that writes to a store until it is killed: `kill_writer PATH ROUND UNKNOWN POINT COUNT`.

It first settles the request id UNKNOWN, if there is one, then commits batches for ever, telling what it tries and what
came of it on standard output. At the COUNT-th passing of the fault point POINT it kills itself.
"""

import os
import signal
import sys
from itertools import count
from pathlib import Path

import anyio

from store import entities
from store.contract import Outcome, Statement
from store.sqlite import SqliteStore


def told(*words: str) -> None:
    os.write(1, (" ".join(words) + "\n").encode())


async def write(*arguments: str) -> None:
    path, round_name, unknown, point, passings = arguments
    left = int(passings)

    def fault(passed: str) -> None:
        nonlocal left
        left -= passed == point
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    store = await SqliteStore.open(Path(path), fault=fault)
    epoch = await store.claim_epoch("rome-1")
    for number in count(0 if unknown != "-" else 1):
        rid = f"{round_name}.{number}" if number else unknown
        told("try", rid)
        revision = int((await store.read(entities.REVISION))[0]["rev"] or 0)
        # The key tells each execution from a repeated one: a batch applied twice would leave two rows, or be rejected.
        row = Statement("INSERT INTO tasks (key, version, body) VALUES (?, 1, '{}')", (f"{rid}/{round_name}",))
        applied = await store.apply([entities.bump_revision(revision), row], rid=rid, epoch=epoch)
        if applied.outcome not in (Outcome.COMMITTED, Outcome.DUPLICATE):
            raise RuntimeError(f"{rid} ended {applied}")
        told(applied.outcome, rid)


if __name__ == "__main__":
    anyio.run(write, *sys.argv[1:])
