"""A manager on loopback, a context that leads to it, and a way to run a command line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.context import Context
from cli.context_changes import add_context
from cli.main import run
from tests.cli.manager import Manager


@dataclass(frozen=True)
class Ran:
    """What a command line did."""

    status: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's home of its own, and a terminal of 100 columns with colours."""
    for name in [name for name in os.environ if name.startswith("GBNT")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GBNTCTL_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("GBNT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def manager(home: Path) -> Iterator[Manager]:
    manager = Manager()
    manager.start()
    add_context(Context("rome", manager.url, "", "gbnt_first_secret"), home / "config")
    yield manager
    manager.stop()


@pytest.fixture
def gbnt(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line and give its exit status and what it printed."""

    def command(*words: str) -> Ran:
        status = run(words)
        out, err = capsys.readouterr()
        return Ran(status, out, err)

    return command
