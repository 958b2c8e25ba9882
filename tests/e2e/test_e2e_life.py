"""A node's ordinary life: kill it, kill its containers, scale, change, remove."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from tests.e2e.node import Node, until

pytestmark = [pytest.mark.engine, pytest.mark.timeout(180)]

# A run that was broken off may have left a network of that name behind.
SHOP = f"shop{os.getpid()}"

SLEEPER = """
services:
  web:
    image: busybox
    command: [sleep, "1000"]
    stop_grace_period: 0s
    deploy: {{replicas: {replicas}}}
  db:
    image: busybox
    command: [sleep, "{seconds}"]
    stop_grace_period: 0s
    volumes: ["data:/data"]
volumes:
  data:
"""


def sleepers(replicas: int = 1, seconds: int = 1000) -> str:
    return SLEEPER.format(replicas=replicas, seconds=seconds)


def lives(node: Node) -> dict[str, tuple[str, str]]:
    """Each running container and when it was started: what must not change."""
    return {c["Name"]: (c["Id"], c["State"]["StartedAt"]) for c in node.containers()}


def test_after_a_kill_9_thirty_containers_are_adopted_and_none_is_restarted(running: Node) -> None:
    running.bring_up(sleepers(29), SHOP)
    before = lives(running)
    assert len(before) == 30
    running.kill9()
    assert len(running.resolve(f"{SHOP}_default", "web")) == 29  # the resolver has a life of its own
    running.start()
    tasks = until(lambda: all_running(running, 30), "30 tasks that run")
    assert {task["attempt"] for task in tasks} == {1}
    assert lives(running) == before
    assert len(running.containers(running=False)) == 30


def all_running(node: Node, count: int) -> list[dict[str, Any]]:
    tasks = [task for task in node.rows("task", "ls") if task["state"] == "running"]
    return tasks if len(tasks) == count else []


def test_one_that_falls_over_after_three_seconds_is_never_said_to_run_as_wanted(running: Node) -> None:
    file = "services: {web: {image: busybox, command: sh -c 'sleep 3; exit 3', init: true}}"
    ended = running.deploy(file, SHOP)
    assert ended.code != 0
    assert "web.1: keeps failing: exit 3" in ended.err
    assert "runs: watched for 5 s, since web has no health check" in ended.err


def test_a_killed_container_is_replaced_and_its_end_and_last_words_are_kept(running: Node) -> None:
    file = """
services:
  web:
    image: busybox
    command: sh -c 'echo I am $$HOSTNAME; exec sleep 1000'
    init: true
"""
    running.bring_up(file, SHOP)
    (first,) = running.containers()
    running.docker("kill", first["Id"])
    (second,) = until(lambda: [c for c in running.containers() if c["Id"] != first["Id"]], "another container")
    until(lambda: all_running(running, 1), "a task that runs")
    (task,) = running.rows("service", "ps", f"{SHOP}/web")
    (past,) = task["past"]
    assert (past["exit_code"], task["attempt"], task["container_id"]) == (137, 2, second["Id"])
    assert f"I am {first['Id'][:12]}" in running.ok("service", "logs", f"{SHOP}/web", "--previous")
    assert f"I am {second['Id'][:12]}" in running.ok("service", "logs", f"{SHOP}/web")
    running.ok("service", "restart", f"{SHOP}/web", "--wait")
    assert f"I am {second['Id'][:12]}" in running.ok("service", "logs", f"{SHOP}/web", "--previous")


def test_scaling_up_and_down_keeps_the_lowest_slots_and_restarts_nothing(running: Node) -> None:
    running.bring_up(sleepers(1), SHOP)
    first = lives(running)
    running.ok("service", "scale", f"{SHOP}/web=30", "--wait")
    assert len(running.containers("label=gbnt.service=web")) == 30
    assert first.items() <= lives(running).items()
    running.ok("service", "scale", f"{SHOP}/web=3", "--wait")
    until(lambda: len(running.containers("label=gbnt.service=web", running=False)) == 3, "3 containers")
    slots = {c["Config"]["Labels"]["gbnt.slot"] for c in running.containers("label=gbnt.service=web")}
    assert slots == {"1", "2", "3"}
    assert first.items() <= lives(running).items()


def test_an_unchanged_file_writes_nothing_and_a_changed_service_alone_is_restarted(running: Node) -> None:
    running.bring_up(sleepers(2), SHOP)
    before, events = lives(running), running.rows("events", "-n", "1")
    again = running.deploy(sleepers(2), SHOP)
    assert again.code == 0
    assert "nothing to change" in again.text
    assert running.rows("events", "-n", "1") == events
    assert lives(running) == before
    assert running.deploy(sleepers(2, seconds=999), SHOP).code == 0
    after = lives(running)
    assert {name for name in before if "-web-" in name} <= after.keys()
    assert not {name for name in before if "-db-" in name} & after.keys()


def test_a_stranger_on_a_stack_s_network_is_named_while_its_removal_waits(running: Node) -> None:
    assert running.deploy(sleepers(), SHOP, "--detach").code == 0
    until(lambda: len(running.containers()) == 2, "the containers on the network")
    stranger = f"stranger-{SHOP}"
    running.docker("run", "-d", "--rm", "--name", stranger, "--network", f"{SHOP}_default", "busybox", "sleep", "1000")
    command = [*running.client, "stack", "rm", SHOP]
    with subprocess.Popen(command, env=running.environment, stderr=subprocess.PIPE, text=True) as removal:
        try:
            assert removal.stderr is not None
            assert any(f"network {SHOP}_default is used by {stranger}" in line for line in removal.stderr)
            assert removal.poll() is None
        finally:
            running.docker("rm", "-f", stranger)
    assert removal.returncode == 0
    assert running.rows("stack", "ls") == []


def test_a_removed_stack_is_gone_when_the_command_returns_and_its_data_waits_for_the_next(running: Node) -> None:
    running.bring_up(sleepers(2), SHOP)
    (db,) = running.containers("label=gbnt.service=db")
    running.docker("exec", db["Id"], "sh", "-c", "echo precious >/data/file")
    told = running.gbnt("stack", "rm", SHOP)
    assert running.containers(running=False) == []
    label = f"label=gbnt.cluster={running.cluster}"
    assert running.docker("network", "ls", "-q", "--filter", label) == ""
    assert told.code == 0
    assert f"{SHOP}_data" in told.text
    running.bring_up(sleepers(2), SHOP)
    (db,) = running.containers("label=gbnt.service=db")
    assert running.docker("exec", db["Id"], "cat", "/data/file") == "precious\n"
    told = running.gbnt("stack", "rm", SHOP, "--volumes", "--yes")
    assert told.code == 0
    assert running.docker("volume", "ls", "-q", "--filter", label) == ""


def test_a_stopped_service_stays_down_through_a_restart_and_a_stopped_task_is_replaced(running: Node) -> None:
    running.bring_up(sleepers(2), SHOP)
    running.ok("service", "stop", f"{SHOP}/web")
    until(lambda: not running.containers("label=gbnt.service=web"), "no container of web")
    running.kill9()
    running.start()
    assert not running.containers("label=gbnt.service=web")
    running.ok("service", "start", f"{SHOP}/web", "--wait")
    before = {c["Id"] for c in running.containers("label=gbnt.service=web")}
    victim = next(task for task in running.rows("service", "ps", f"{SHOP}/web") if task["state"] == "running")
    running.ok("task", "rm", victim["id"])
    until(
        lambda: (
            len(now := {c["Id"] for c in running.containers("label=gbnt.service=web")}) == 2
            and victim["container_id"] not in now
        ),
        "another container in its place",
    )
    kept = {c["Id"] for c in running.containers("label=gbnt.service=web")}
    assert len(before & kept) == 1


def test_a_node_whose_state_was_lost_leaves_its_containers_until_a_person_confirms(running: Node) -> None:
    running.bring_up(sleepers(1), f"{SHOP}kept")
    before = lives(running)
    running.stop()
    for file in (running.data / "store").iterdir():
        file.unlink()
    for point in ("before-begin", "before-commit"):
        assert cut_short(running, point) == point
    running.start()
    held = until(lambda: running.rows("node", "ls")[0]["held"], "containers that are held")
    assert len(held) == 2
    assert lives(running) == before
    assert "left as they are" in running.log
    running.ok("snapshot", "confirm")
    until(lambda: not running.containers(running=False), "no container")


def cut_short(node: Node, point: str) -> str:
    """Start it and kill it at the first passing of a point; what ended it."""
    words = (sys.executable, "-m", "tests.e2e.doomed", "serve", *node.doors)
    with (node.folder / "serve.log").open("ab") as log:
        ended = subprocess.run(
            words, env=node.environment, input=f"{point}:1 30\n", stdout=subprocess.PIPE, stderr=log, text=True
        )
    return ended.stdout.strip()
