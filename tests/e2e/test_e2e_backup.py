"""A manager's machine is lost and rebuilt from its backup: at another address, with the containers that run."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.node import Node, until

pytestmark = [pytest.mark.engine, pytest.mark.timeout(180)]

SHOP, LATE = f"shop{os.getpid()}", f"late{os.getpid()}"
ADDRESS = "127.0.0.2"

SLEEPER = """
services:
  web:
    image: busybox
    command: [sleep, "100000"]
    stop_grace_period: 0s
    deploy: {replicas: 3}
"""


@pytest.fixture
def rome(running: Node) -> Node:
    """A manager whose commands know the passphrase, and a stack on it."""
    running.extra["GBNT_BACKUP_PASSPHRASE"] = "correct horse battery"
    running.bring_up(SLEEPER, SHOP)
    return running


def lives(node: Node, stack: str = SHOP) -> dict[str, str]:
    """Each of a stack's containers and when it was started: what must not change."""
    return {c["Id"]: c["State"]["StartedAt"] for c in node.containers(f"label=gbnt.stack={stack}")}


def tasks(node: Node) -> list[tuple[Any, ...]]:
    """What must not change of tasks, either."""
    rows = node.rows("task", "ls")
    return sorted((row["id"], row["state"], row["attempt"], row["container_id"], row["addresses"]) for row in rows)


def lose(node: Node) -> None:
    """The machine is gone, but for its engine; it would take a test too many to have that rebuilt, too."""
    node.kill9()
    node.end_resolver()
    shutil.rmtree(node.data)


def rebuild(node: Node, backup: Path, *options: str) -> None:
    """Restore to another folder, and start by the line that the command prints."""
    node.state = "rebuilt"
    line = node.ok("backup", "restore", str(backup), "--advertise-addr", ADDRESS)
    assert line == f"gbnt serve --data-dir {node.data} --advertise-addr {ADDRESS}\n"
    node.start(*shlex.split(line)[2:], *options)


def test_a_lost_manager_goes_on_at_another_address_and_no_container_is_touched(rome: Node) -> None:
    backup = Path(rome.ok("backup", "create", str(rome.folder / "rome.backup")).strip())
    before, before_tasks, cluster = lives(rome), tasks(rome), rome.cluster
    assert len(before) == 3
    lose(rome)
    rebuild(rome, backup, "--bind", "0.0.0.0")

    until(lambda: tasks(rome) == before_tasks, "the tasks as they were")  # by the context of before
    assert lives(rome) == before
    assert len(rome.containers(running=False)) == 3
    assert rome.cluster == cluster
    (here,) = rome.rows("node", "ls")
    assert (here["address"], here["held"]) == (ADDRESS, [])
    assert move_context(rome).ok("stack", "ls", "--context", "moved")
    assert f"{SHOP}: nothing to change\n" in rome.deploy(SLEEPER, SHOP).text
    rome.ok("service", "scale", f"{SHOP}/web=4", "--wait")
    assert before.items() <= lives(rome).items()
    assert len(rome.resolve(f"{SHOP}_default", "web")) == 4
    assert "Traceback" not in rome.log


def move_context(node: Node) -> Node:
    """What a person does on another machine: the same authority and token, the new address."""
    path = node.folder / "config"
    known = json.loads(path.read_text())
    (context,), (cluster,) = known["contexts"], known["clusters"]
    known["contexts"].append({**context, "name": "moved", "cluster": "moved"})
    known["clusters"].append({**cluster, "name": "moved", "server": f"https://{ADDRESS}:{node.api_port}"})
    path.write_text(json.dumps(known))
    return node


def test_what_was_deployed_after_the_backup_is_held_until_a_person_confirms(rome: Node) -> None:
    backup = Path(rome.ok("backup", "create", str(rome.folder / "rome.backup")).strip())
    rome.bring_up(SLEEPER, LATE)
    before, late = lives(rome), lives(rome, LATE)
    newest = rome.rows("events", "-n", "1")[0]["revision"]
    lose(rome)
    rebuild(rome, backup)

    held = until(lambda: rome.rows("node", "ls")[0]["held"], "word of what is held")
    assert sorted(held) == sorted(c["Name"].strip("/") for c in rome.containers(f"label=gbnt.stack={LATE}"))
    assert (lives(rome), lives(rome, LATE)) == (before, late)
    assert [row["name"] for row in rome.rows("stack", "ls")] == [SHOP]
    rome.kill9()
    rome.start("--advertise-addr", ADDRESS)  # that they are held is durable
    assert until(lambda: rome.rows("node", "ls")[0]["held"], "word of what is held") == held
    assert lives(rome, LATE) == late

    rome.ok("snapshot", "confirm")
    until(lambda: not lives(rome, LATE), "their end")
    assert lives(rome) == before
    assert rome.rows("events", "-n", "1")[0]["revision"] > newest


def test_a_manager_that_serves_is_backed_up_and_its_folder_is_safe(rome: Node) -> None:
    backup = rome.folder / "rome.backup"
    rome.ok("backup", "create", str(backup))
    refused = rome.gbnt("backup", "restore", str(backup), "--force")
    assert refused.code == 1
    assert f"is in use by another gbnt (pid {rome.process.pid if rome.process else 0}): stop that one" in refused.err
    assert rome.is_well()

    # In its own place: the resolver that serves the containers is adopted with the rest.
    before = lives(rome)
    rome.stop()
    rome.ok("backup", "restore", str(backup), "--force")
    assert len(rome.resolve(f"{SHOP}_default", "web")) == 3
    rome.start()
    until(lambda: rome.rows("stack", "ls")[0]["status"] == "running", "the stack as it was")
    assert lives(rome) == before
    assert len(rome.resolve(f"{SHOP}_default", "web")) == 3
    shutil.rmtree(next(rome.folder.glob("data.before-restore-*")))
