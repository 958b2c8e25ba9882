"""Configs on a real engine: read-only, owned as asked, rolled by their content, kept through a restart of gbnt."""

from __future__ import annotations

import os
import subprocess

import pytest

from cluster.configs import LARGEST
from tests.e2e.configs import TARGET, container_of, deploy, read, reader
from tests.e2e.node import Node, until

pytestmark = [pytest.mark.engine, pytest.mark.timeout(180)]

READER = f"reader{os.getpid()}"


def settled(node: Node, other_than: str = "") -> str:
    """The container of the reader, once it is the only one and not that other one."""
    found = until(
        lambda: now if (now := container_of(node, READER)) != other_than else "", "one container that runs, a new one"
    )
    return str(found)


def test_a_content_is_read_and_not_written_by_who_may_and_another_one_rolls(running: Node) -> None:
    assert deploy(running, reader(READER, b"one", uid=101, gid=102, mode=0o440)) == {"web": "created"}
    first = settled(running)
    assert read(running, first) == "one"
    assert running.docker("exec", first, "stat", "-c", "%a %u %g %s", TARGET) == "440 101 102 3\n"
    written = subprocess.run(["docker", "exec", first, "sh", "-c", f"echo two > {TARGET}"], capture_output=True)
    assert b"Read-only file system" in written.stderr
    denied = subprocess.run(["docker", "exec", "--user", "7", first, "cat", TARGET], capture_output=True)
    assert b"Permission denied" in denied.stderr

    assert deploy(running, reader(READER, b"one", uid=101, gid=102, mode=0o440)) == {"web": "unchanged"}
    assert container_of(running, READER) == first
    assert deploy(running, reader(READER, b"two")) == {"web": "updated"}
    second = settled(running, other_than=first)
    assert read(running, second) == "two"
    until(lambda: len(files(running)) == 1, "the file alone that is read")


def files(node: Node) -> list[str]:
    return sorted(path.name for path in (node.data / "configs").iterdir())


def test_a_config_is_there_after_gbnt_was_killed_and_its_container_too(running: Node) -> None:
    content = os.urandom(LARGEST // 2).hex().encode()
    deploy(running, reader(READER, content))
    first = settled(running)
    kept = files(running)
    running.kill9()
    assert read(running, first) == content.decode()
    running.start()
    assert container_of(running, READER) == first
    running.docker("kill", first)
    assert read(running, settled(running, other_than=first)) == content.decode()
    assert files(running) == kept


def test_a_config_is_shown_without_its_content_and_gone_with_its_stack(running: Node) -> None:
    deploy(running, reader(READER, b"one"))
    settled(running)
    shown = running.ok("service", "inspect", f"{READER}/web", "-o", "json")
    assert '"digest"' in shown
    running.ok("stack", "rm", READER)
    until(lambda: files(running) == [], "a folder without files")


COMPOSE = """
services:
  web:
    image: busybox
    command: [sleep, "1000"]
    init: true
    configs: [{{source: app, target: /etc/app/app.conf, uid: "101", mode: 0400}}]
configs:
  app: {{content: "{content}"}}
"""


def test_the_file_brings_it(running: Node) -> None:
    assert (ended := running.deploy(COMPOSE.format(content="one"), READER)).code == 0, ended.text
    first = settled(running)
    assert read(running, first) == "one"
    assert running.docker("exec", first, "stat", "-c", "%a %u", TARGET) == "400 101\n"
    assert (ended := running.deploy(COMPOSE.format(content="two"), READER)).code == 0, ended.text
    assert read(running, settled(running, other_than=first)) == "two"


def test_a_config_is_seen_by_its_readers_and_goes_only_without_any(running: Node) -> None:
    deploy(running, reader(READER, b"salve\n"))
    name = f"{READER}_app"
    [row] = running.rows("config-file", "ls")
    assert (row["name"], row["services"], row["size"]) == (name, [f"{READER}/web"], 6)
    assert running.ok("config-file", "inspect", name, "--content") == "salve\n"
    refused = running.gbnt("config-file", "rm", name)
    assert (refused.code, f"config {name} is read by {READER}/web" in refused.err) == (1, True)
    running.ok("service", "rm", f"{READER}/web", "--wait")
    assert running.ok("config-file", "rm", name) == f"{name} is gone\n"
    assert running.rows("config-file", "ls") == []
