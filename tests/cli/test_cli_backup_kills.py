"""Killed at any step, a backup or a restore leaves all of it or nothing, and can be done again."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.backup import create as creating
from cli.backup.seal import Cost
from cli.home import Home
from tests.cli.conftest import Run
from tests.cli.state import ROME, look, make_state, tree

pytestmark = pytest.mark.timeout(180)

PASSPHRASE = ("--passphrase-file", "passphrase")
RESTORE = ("backup", "restore", "rome.backup", *PASSPHRASE)
CREATE = ("backup", "create", "rome.backup", *PASSPHRASE)
MOST_STEPS = 100


@pytest.fixture
def rome(home: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr(creating, "COST", Cost(doublings=1, block=1, passes=1))
    (home / "passphrase").write_text("correct horse battery")
    return make_state(home / "data")


def kills(words: tuple[str, ...], prepare: Callable[[], None] = lambda: None) -> Iterator[int]:
    """Each step that a command was killed before, and after that the one that it did not come to."""
    command = [sys.executable, "-m", "tests.cli.killed", *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as lives:
        assert lives.stdin is not None
        assert lives.stdout is not None
        for step in range(1, MOST_STEPS):
            prepare()
            lives.stdin.write(f"{step}\n")
            lives.stdin.flush()
            ended = int(lives.stdout.readline())
            yield step
            if ended == 0:
                return
            assert ended == -signal.SIGKILL
    raise AssertionError(f"it takes more than {MOST_STEPS} steps")


def is_restored(path: Path) -> bool:
    """Whether this is Rome's data directory, and whether it holds what it does not know; it is never half of one."""
    home = Home(path, make=False)
    assert home.known() == ROME
    assert (home.keys / "ca.pem").exists()
    seen = look(home.store)
    assert seen.tasks == ["web.0", "web.1", "web.2"]
    return bool(seen.held)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_backup_is_there_whole_or_not_at_all(gbnt: Run, rome: Home, home: Path):
    before, file, seen = tree(rome.path), home / "rome.backup", []
    for _ in kills(CREATE):
        assert tree(rome.path) == before
        seen.append(file.exists())
        if file.exists():
            assert gbnt("backup", "inspect", "rome.backup", *PASSPHRASE).status == 0
            file.unlink()
        assert gbnt(*CREATE).status == 0
        assert names(home) == ["data", "passphrase", "rome.backup"]
        file.unlink()
    assert seen == [False] * (len(seen) - 1) + [True]
    assert len(seen) > 3


def test_a_restored_data_directory_is_there_whole_or_not_at_all(gbnt: Run, rome: Home, home: Path):
    gbnt(*CREATE)
    new, seen = home / "new", []
    for _ in kills((*RESTORE, "--data-dir", "new")):
        seen.append(new.exists())
        if new.exists():
            assert is_restored(new)
            shutil.rmtree(new)
        assert gbnt(*RESTORE, "--data-dir", "new").status == 0
        assert is_restored(new)
        assert names(home) == ["data", "new", "passphrase", "rome.backup"]
        shutil.rmtree(new)
    assert seen == [False] * (len(seen) - 1) + [True]
    assert len(seen) > 15


def test_what_was_there_is_in_its_place_or_beside_it(gbnt: Run, rome: Home, home: Path):
    gbnt(*CREATE)
    shutil.copytree(rome.path, home / "kept")
    seen = []

    def prepare() -> None:
        for path in (rome.path, *home.glob("data.*"), *home.glob(".data.*")):
            shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(home / "kept", rome.path)

    def is_as_it_was(path: Path) -> bool:
        return path.exists() and lasting(path) == lasting(home / "kept")

    for _ in kills((*RESTORE, "--force"), prepare):
        asides = list(home.glob("data.before-restore-*"))
        assert [is_as_it_was(path) for path in (rome.path, *asides)].count(True) == 1
        seen.append((rome.path.exists() and is_restored(rome.path), len(asides)))
        if not seen[-1][0]:
            assert gbnt(*RESTORE, *(["--force"] if rome.path.exists() else [])).status == 0
            assert is_restored(rome.path)
            assert list(home.glob(".data.*")) == []
    assert sorted(set(seen)) == [(False, 0), (False, 1), (True, 1)]
    assert seen == sorted(seen)


def lasting(path: Path) -> dict[str, bytes | None]:
    """What is in a data directory but for what says who works in it now."""
    return tree(path, but=lambda name: name in ("run", "gbnt.db.lock"))
