"""The scripts: readable by any POSIX shell, and each reachable by a target of the Makefile."""

import os
import re
import shutil
import subprocess

import pytest

from tests.repository.tree import ROOT, tracked

TARGETS = ("setup", "up", "down", "lab", "lab-down", "test", "check", "lint", "bench", "soak")


def test_shellcheck_has_nothing_to_say():
    if shutil.which("shellcheck") is None and not os.environ.get("CI"):
        pytest.skip("shellcheck is not installed; `make test` installs it")
    scripts = [str(path) for path in tracked() if path.suffix == ".sh"]
    checked = subprocess.run(["shellcheck", *scripts, ".ci/run"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.stdout + checked.stderr == ""


@pytest.mark.parametrize("target", TARGETS)
def test_each_target_is_one_script(target):
    planned = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=True)
    script = f"{target.partition('-')[0]}.sh"
    assert re.search(rf"scripts/{script}", planned.stdout)
    assert os.access(ROOT / "scripts" / script, os.X_OK)


def test_help_names_every_target():
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert [target for target in TARGETS if f"make {target} " not in shown.stdout] == []
