"""The page's program with the Python client, on a node that is really there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.node import Node

ROOT = Path(__file__).parents[2]
COMPOSE = 'services: {web: {image: busybox, init: true, command: [sleep, "1000"]}}\n'

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


def test_the_program_of_the_page_lists_changes_and_follows(running: Node):
    section = (ROOT / "docs" / "api.md").read_text().partition("## The Python client\n")[2]
    [program] = re.findall(r"```python\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    running.bring_up(COMPOSE, "shop")

    environment = {**running.environment, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)

    assert (ran.returncode, ran.stderr) == (0, "")
    machine, *rest = ran.stdout.splitlines()
    assert machine.split()[1:] == ["ready", "0"]
    assert (rest[0], rest[-1].split(" ")[0]) == ("shop/web: scaled from 1 to 3", "converged")
