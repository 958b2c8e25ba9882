"""The image of a store is one committed state, whoever writes to it meanwhile."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from store.contract import Corrupt, StoreError
from store.copies import Image, image
from store.schema import NEWEST
from tests.store.conftest import OpenSqlite

REPOSITORY = Path(__file__).parents[2]
IMAGES = 25


def rows_in(taken: Image) -> int:
    """How many tasks are in it; its writers add one with each revision."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(taken.content)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return int(connection.execute("SELECT COUNT(*) FROM tasks").fetchone()[0])


@pytest.mark.timeout(120)
def test_while_another_process_commits_each_image_is_of_one_revision(path: Path):
    command = [sys.executable, "-m", "tests.store.kill_writer", str(path), "round", "-", "anywhere", "1"]
    taken: list[Image] = []
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if line.startswith("committed"):
                taken.append(image(path))
            if len(taken) == IMAGES:
                writer.kill()
                break
    assert [one.revision for one in taken] == [rows_in(one) for one in taken]
    revisions = [one.revision for one in taken]
    assert revisions == sorted(revisions)
    assert len(set(revisions)) > 1
    assert image(path).revision >= revisions[-1], "of one that was killed, too"


@pytest.mark.anyio
async def test_an_image_of_a_stopped_store_leaves_it_as_it_was(open_store: OpenSqlite, path: Path):
    await (await open_store()).close()
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    taken = image(path)
    assert (taken.revision, taken.schema) == (0, NEWEST)
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before


def test_what_is_no_store_has_no_image(tmp_path: Path):
    path = tmp_path / "gbnt.db"
    with pytest.raises(StoreError, match="cannot be copied"):
        image(path)
    path.write_bytes(b"")
    log = path.with_name("gbnt.db-wal")
    log.write_bytes(b"all that is left of a cluster")
    with pytest.raises(Corrupt, match="is empty"):
        image(path)
    assert log.exists()
    path.write_bytes(b"rubbish " * 1000)
    with pytest.raises(StoreError):
        image(path)
