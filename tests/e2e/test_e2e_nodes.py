"""What people say of machines, told to a real manager: labels, availability, roles."""

from __future__ import annotations

import os

import pytest

from tests.e2e.node import Node, until

pytestmark = [pytest.mark.engine, pytest.mark.timeout(180)]

SHOP = f"machines{os.getpid()}"

FILE = """
services:
  web:
    image: busybox
    command: [sleep, "1000"]
    stop_grace_period: 0s
    deploy:
      replicas: 2
      placement: {constraints: [node.labels.gpu == nvidia]}
"""


def tasks(node: Node) -> set[str]:
    return {task["state"] for task in node.rows("task", "ls")}


def test_a_label_is_what_tasks_wait_for_and_a_drain_says_what_keeps_them(running: Node) -> None:
    [machine] = running.rows("node", "ls")
    name = machine["name"]
    refused = running.deploy(FILE, SHOP)
    assert (refused.code, running.rows("stack", "ls")) == (1, [])
    assert "asks for node.labels.gpu == nvidia, which no machine meets" in refused.err
    waiting = running.deploy(FILE, SHOP, "--ahead")
    assert "1 node: 1 lacks label gpu=nvidia" in waiting.err
    explained = running.ok("explain", f"{SHOP}-web-1")
    assert explained.startswith(f"{SHOP}-web-1: waits for a machine (1 node: 1 lacks label gpu=nvidia)\n")
    assert f"`gbnt node update {name} --label-add gpu=nvidia`" in explained
    assert running.ok("node", "update", name, "--label-add", "gpu=nvidia") == f"{name}: labels changed\n"
    until(lambda: tasks(running) == {"running"}, "tasks that run")
    drained = running.gbnt("node", "update", name, "--availability", "drain", "--timeout", "3s")
    assert drained.code == 1
    assert "waits for a machine (1 node: 1 is draining)" in drained.err
    assert "waits for its turn: of a service one task moves at a time" in drained.err
    [drained_node] = running.rows("node", "ls")
    assert (drained_node["availability"], drained_node["tasks"]) == ("drain", 2)
    running.ok("node", "update", name, "--availability", "active")
    until(lambda: len(running.rows("node", "ps", name)) == 2, "the two tasks that were there")
    assert len(running.containers()) == 2
    running.ok("stack", "stop", SHOP)
    done = running.gbnt("node", "update", name, "--availability", "drain")
    assert (done.code, done.out) == (0, f"{name}: drain: its tasks move elsewhere, one by one\n{name}: is empty\n")


def test_what_people_decided_outlives_a_restart(running: Node) -> None:
    [machine] = running.rows("node", "ls")
    running.ok("node", "update", machine["name"], "--label-add", "gpu=nvidia", "--availability", "pause")
    running.ok("legion", "update", "--pause-above", "80")
    running.kill9()
    running.start()
    [machine] = running.rows("node", "ls")
    assert (machine["labels"], machine["availability"], machine["role"]) == ({"gpu": "nvidia"}, "pause", "manager")
    assert "more than 80 %" in running.ok("legion", "status")
    assert "is the last manager" in running.gbnt("node", "demote", machine["id"]).err
    assert "is the last manager" in running.gbnt("node", "rm", "--force", machine["id"]).err
