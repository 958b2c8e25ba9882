"""A writer killed at any moment: what was acknowledged is there, and nothing is there twice."""

import random
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest

from store import entities
from store.contract import Outcome
from store.schema import Table
from store.sqlite import SqliteStore

ROUNDS = 36
REPOSITORY = Path(__file__).parents[2]


@dataclass
class History:
    """What the writers told before they died."""

    acknowledged: set[str] = field(default_factory=set)
    settled: set[str] = field(default_factory=set)
    unknown: str = "-"


def run_until_killed(path: Path, number: int, dice: random.Random, history: History) -> None:
    point = dice.choice(["before-begin", "before-commit", "after-commit", "anywhere"])
    lines_until_killed = dice.randint(1, 60) if point == "anywhere" else 0
    command = [sys.executable, "-m", "tests.store.kill_writer", str(path), f"round{number}", history.unknown]
    with subprocess.Popen(
        [*command, point, str(dice.randint(1, 20))], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        for line_number, line in enumerate(writer.stdout, start=1):
            word, rid = line.split()
            if word == "try":
                history.unknown, retried = rid, rid == history.unknown
            else:
                history.acknowledged.add(rid)
                if retried:
                    history.settled.add(word)
                history.unknown = "-"
            if line_number == lines_until_killed:
                writer.kill()  # what is in the pipe already is still read: it was told before the death
    assert writer.returncode == -signal.SIGKILL


@pytest.mark.timeout(120)
def test_nothing_acknowledged_is_lost_and_nothing_is_applied_twice(tmp_path: Path):
    path = tmp_path / "gbnt.db"
    history = History()
    dice = random.Random(1)
    for number in range(ROUNDS):
        run_until_killed(path, number, dice, history)

    async def found() -> tuple[list[str], int]:
        store = await SqliteStore.open(path)
        rows = await store.read(entities.every(Table.TASKS))
        revision = await store.read(entities.REVISION)
        await store.close()
        return [str(row["key"]).partition("/")[0] for row in rows], int(revision[0]["rev"] or 0)

    rids, revision = anyio.run(found)
    assert Counter(rids).most_common(1)[0][1] == 1
    assert history.acknowledged <= set(rids)
    assert set(rids) - history.acknowledged <= {history.unknown}
    assert revision == len(rids)
    # Both answers were seen, or the kills did not hit what they are there for.
    assert history.settled == {Outcome.COMMITTED, Outcome.DUPLICATE}
