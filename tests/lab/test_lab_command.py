"""The lab by hand: what `scripts/lab.sh` runs."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.e2e.node import Ended, until
from tests.lab.switch import ROOT

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def folder():
    made = Path(tempfile.mkdtemp(prefix="gbnt-lab-", dir="/tmp")) / "lab"
    yield made
    lab(made, "down")
    made.parent.rmdir()


def lab(folder: Path, *words: str) -> Ended:
    command = [sys.executable, "-m", "tests.lab", "--folder", str(folder), *words]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def statuses(folder: Path) -> list[str]:
    listed = lab(folder, "exec", "rome-1", "gbnt", "node", "ls")
    return [row.split()[2] for row in listed.out.splitlines()[1:]]


def test_a_lab_outlives_the_command_that_made_it_and_is_gone_after_another(folder):
    assert "scripts/lab.sh exec rome-1 gbnt node ls" in lab(folder, "up", "2").out
    assert statuses(folder) == ["ready", "ready"]
    assert "already" in lab(folder, "up", "2").err
    assert lab(folder, "cut", "rome-2").code == 0
    until(lambda: statuses(folder) == ["ready", "down"], "a machine that is cut off")
    assert lab(folder, "heal").code == 0
    until(lambda: statuses(folder) == ["ready", "ready"], "a machine that is back")
    assert lab(folder, "lose", "99", "rome-2").code == 0
    until(lambda: statuses(folder) == ["ready", "down"], "a machine of whose packets nearly all are lost")
    assert lab(folder, "heal").code == 0
    until(lambda: statuses(folder) == ["ready", "ready"], "a machine that is back")
    assert lab(folder, "delay", "3", "rome-2").code == 0
    assert lab(folder, "delay", "9", "rome-2").code == 0
    until(lambda: statuses(folder) == ["ready", "down"], "a machine whose answers come too late")
    assert lab(folder, "heal").code == 0
    until(lambda: statuses(folder) == ["ready", "ready"], "a machine that is back")
    assert 'a number of seconds up to 60 is needed, not "soon"' in lab(folder, "delay", "soon", "rome-2").err
    assert lab(folder, "kill-engine", "rome-2").code == 0
    until(lambda: statuses(folder) == ["ready", "unavailable"], "a machine without its engine")
    assert lab(folder, "kill", "rome-2").code == 0
    assert lab(folder, "kill", "rome-2").err == "no gbnt runs on rome-2\n"
    assert lab(folder, "revive", "rome-2").code == 0
    until(lambda: statuses(folder) == ["ready", "ready"], "a machine on which both run again")
    assert lab(folder, "off", "rome-2").code == 0
    assert lab(folder, "exec", "rome-2", "true").err == "rome-2 is off: scripts/lab.sh on rome-2\n"
    assert lab(folder, "on", "rome-2").code == 0
    until(lambda: statuses(folder) == ["ready", "ready"], "a machine that is back")
    assert lab(folder, "exec", "rome-9", "true").err == "there is no rome-9 here, but rome-1, rome-2\n"
    assert lab(folder, "down").code == 0
    assert not folder.exists()
    assert "there is no lab here" in lab(folder, "exec", "rome-1", "true").err
