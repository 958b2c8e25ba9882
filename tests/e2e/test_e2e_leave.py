"""A machine that leaves its cluster: a manager and a worker, each with an engine of its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.e2e.node import Node, node, until
from tests.lab.engine import OwnEngine

pytestmark = [pytest.mark.engine, pytest.mark.timeout(240)]

SHOP = f"leave{os.getpid()}"

FILE = """
services:
  web:
    image: busybox
    command: [sleep, "1000"]
    init: true
    deploy: {replicas: 2}
  db:
    image: busybox
    command: [sleep, "1000"]
    init: true
    volumes: ["data:/data"]
    network_mode: none
volumes:
  data:
"""


@dataclass
class Pair:
    manager: Node
    worker: Node

    def join(self) -> None:
        """Have the worker join; it does not serve yet."""
        line = self.manager.ok("legion", "join-token")
        token = line.split("--token ")[1].split()[0]
        where = f"127.0.0.1:{self.manager.api_port}"
        self.worker.ok(
            "legion", "join", "--token", token, "--manager", where, "--node-name", "gaul", "--no-serve",
            "--advertise-addr", "127.0.0.1",
        )  # fmt: skip

    def gaul(self) -> list[dict[str, object]]:
        return [row for row in self.manager.rows("node", "ls") if row["name"] == "gaul"]

    def place(self) -> None:
        """Have everything run on the worker, though the manager may have it, too."""
        [own] = [row["name"] for row in self.manager.rows("node", "ls") if row["role"] == "manager"]
        self.manager.ok("node", "update", own, "--availability", "pause")
        self.manager.bring_up(FILE, SHOP)
        assert len(self.worker.containers()) == 3
        self.manager.ok("node", "update", own, "--availability", "active")

    def running(self) -> set[tuple[str, str]]:
        tasks = self.manager.rows("task", "ls")
        return {(task["service"], task["node"]) for task in tasks if task["state"] == "running"}


@pytest.fixture
def pair(engine: OwnEngine) -> Iterator[Pair]:
    """Both are on the network of the worker's engine; the manager has the machine's own engine."""
    with engine.space.network(), node() as manager, node(engine=engine.url) as worker:
        manager.start("--node-name", "rome", "--advertise-addr", "127.0.0.1")
        one = Pair(manager, worker)
        one.join()
        worker.start()
        until(lambda: [row for row in one.gaul() if row["status"] == "ready"], "a worker that is ready")
        yield one


def of_cluster(worker: Node, cluster: str, *words: str) -> list[str]:
    """What the worker's engine has of a cluster."""
    chosen = ("--filter", f"label=gbnt.cluster={cluster}")
    listed = subprocess.run(
        ["docker", *words, *chosen], env=worker.environment, capture_output=True, text=True, check=True
    )
    return listed.stdout.split()


def test_a_machine_leaves_in_order_and_takes_its_data_only(pair: Pair) -> None:
    manager, worker = pair.manager, pair.worker
    pair.place()
    cluster = worker.cluster
    waits = subprocess.run(
        ["timeout", "--signal=INT", "6", *worker.client, "legion", "leave"],
        env=worker.environment, capture_output=True, text=True,
    )  # fmt: skip
    assert f"{SHOP}-db-1  running: waits for a machine" in waits.stderr
    assert "which holds the data of volume" in waits.stderr
    assert "gaul is a node still" in waits.stderr
    until(lambda: pair.running() == {("web", "rome"), ("db", "gaul")}, "what can move on the manager")
    manager.ok("service", "stop", f"{SHOP}/db", "--wait")
    kept = worker.gbnt("legion", "leave")
    assert (kept.code, f"has the data of volume {SHOP}_data ({SHOP}/db)" in kept.err) == (1, True), kept.text
    manager.ok("service", "rm", f"{SHOP}/db", "--wait")

    left = worker.gbnt("legion", "leave")
    assert (left.code, "stop it, and run `gbnt legion leave` again" in left.err) == (1, True), left.text
    assert pair.gaul() == []
    worker.stop()
    left = worker.gbnt("legion", "leave")
    assert left.code == 0, left.text
    assert f"kept the volumes {SHOP}_data" in left.out
    assert of_cluster(worker, cluster, "ps", "-aq") == []
    assert of_cluster(worker, cluster, "network", "ls", "-q") == []
    assert of_cluster(worker, cluster, "volume", "ls", "-q") == [f"{SHOP}_data"]
    assert not worker.data.exists()
    assert pair.running() == {("web", "rome")}
    pair.join()
    assert [row["status"] for row in pair.gaul()] == ["down"]


def test_by_force_a_machine_leaves_though_its_manager_is_gone(pair: Pair) -> None:
    manager, worker = pair.manager, pair.worker
    pair.place()
    cluster = worker.cluster
    manager.kill9()
    assert "stop it first" in worker.gbnt("legion", "leave", "--force").err
    assert len(worker.containers()) == 3
    worker.stop()
    left = worker.gbnt("legion", "leave", "--force")
    assert left.code == 0, left.text
    assert "`gbnt node rm gaul --force`" in left.err
    assert of_cluster(worker, cluster, "ps", "-aq") == []
    assert not worker.data.exists()
    manager.start("--node-name", "rome", "--advertise-addr", "127.0.0.1")
    assert len(pair.gaul()) == 1
    manager.ok("node", "rm", "gaul", "--force")
    until(lambda: ("web", "rome") in pair.running(), "what ran there on the manager")
    assert pair.gaul() == []


def test_the_last_manager_stays(running: Node) -> None:
    ended = running.gbnt("legion", "leave", "--force")
    assert (ended.code, "`gbnt reset`" in ended.err) == (1, True)
    assert running.is_well()
