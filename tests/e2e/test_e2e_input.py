"""What a person gets who hands in a broken or hostile file: every place that is wrong, and nothing changed."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.node import PROGRAM, Ended, Node, node

pytestmark = [pytest.mark.engine, pytest.mark.timeout(120)]

SECONDS = 5.0
MOST_MEMORY = 512 * 1024 * 1024  # of addresses, of which gbnt at rest maps a fifth

WEB = "services:\n  web:\n    image: busybox\n"
BOMB = "x-0: &x0 [lol]\n" + "".join(f"x-{i}: &x{i} [{', '.join([f'*x{i - 1}'] * 10)}]\n" for i in range(1, 30))
# Each with what is said of it: line, column, and words that must be in that line.
BROKEN: dict[str, tuple[str | bytes, str, str]] = {
    "YAML": ("services:\n  web: [\n", "3:1", "not YAML"),
    "wrong type": (WEB + "    deploy: {replicas: many}\n", "4:24", "services.web.deploy.replicas: .*many"),
    "dependency that is not there": (WEB + "    depends_on: [base]\n", "4:18", 'services.web.depends_on.*"base"'),
    "cycle": (WEB + "    depends_on: [db]\n  db: {image: b, depends_on: [web]}\n", "5:31", "db -> web -> db"),
    "port": (WEB + "    ports:\n      - 99999:80\n", "5:9", r"services.web.ports\[0\]: .*99999"),
    "replicas": (WEB + "    deploy:\n      replicas: -1\n", "5:17", "services.web.deploy.replicas: .*-1"),
    "env_file": (WEB + "    env_file: gone.env\n", "4:15", "services.web.env_file: .*gone.env"),
    "variable": (WEB + "    command: ${NOT_SET:?say which}\n", "4:14", "NOT_SET.*say which"),
    "not UTF-8": (WEB.encode() + b'    hostname: "\xff"\n', "4:16", "UTF-8"),
    "alias bomb": (BOMB + WEB + "    command: *x29\n", "7:26", "aliases"),
    "100,000 aliases": ("x-a: &a [1]\nx-b:\n" + "  - *a\n" * 100_000 + WEB, "10003:5", "aliases"),
    "itself within": ("x-a: &a [*a]\n" + WEB, "1:10", "contains itself"),
    "nested for ever": ("x: " + "[" * 100_000, "1:103", "nested"),
}


@pytest.fixture(scope="module")
def shared() -> Iterator[Node]:
    """One node for the module: nothing that it is handed here changes anything in it."""
    with node() as one:
        one.start()
        before = one.rows("events")
        yield one
        assert (one.rows("events"), one.rows("stack", "ls")) == (before, [])


def deploy(node: Node, folder: Path, content: bytes) -> Ended:
    """Deploy a file in bounded memory, and see that it ends in time."""
    (folder / "compose.yaml").write_bytes(content)
    command = ["prlimit", f"--as={MOST_MEMORY}", *PROGRAM, "stack", "deploy", "-c", "compose.yaml", "shop"]
    environment = {**node.environment, "PYTHONPATH": os.getcwd()}
    begun = time.monotonic()
    ended = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True)
    assert time.monotonic() - begun < SECONDS
    return Ended(ended.returncode, ended.stdout, ended.stderr)


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_is_told_its_place(shared, tmp_path, kind):
    content, place, words = BROKEN[kind]
    told = deploy(shared, tmp_path, content if isinstance(content, bytes) else content.encode())
    assert told.code == 2, told.text
    assert re.search(f"^compose.yaml:{place}: error: .*{words}", told.err, re.MULTILINE), told.err
    assert "Traceback" not in told.text


def test_all_that_is_wrong_is_told_at_once(shared, tmp_path):
    told = deploy(shared, tmp_path, f"{WEB}    ports: ['99999:80']\n    deploy: {{replicas: -1}}\n".encode())
    assert told.code == 2
    assert re.findall(r"^compose.yaml:(\d+):", told.err, re.MULTILINE) == ["4", "5"]


def test_a_file_of_50_megabytes_is_not_read_to_its_end(shared, tmp_path):
    told = deploy(shared, tmp_path, b"a" * 50_000_000)
    assert (told.code, told.err) == (2, "error: cannot read compose.yaml: it is larger than 4 MiB: is it the one?\n")
