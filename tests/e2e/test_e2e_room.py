"""A machine's room on a real engine: who uses what, what could go, and what of that goes."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.e2e.node import Node, until
from tests.e2e.person import at_terminal

pytestmark = [pytest.mark.engine, pytest.mark.timeout(180)]

# Images of its own: of those that other tests run nothing is to be removed.
SHOP, IMAGE, NEXT = (f"{word}{os.getpid()}" for word in ("room", "room-image-", "room-next-"))

FILE = """
services:
  web:
    image: {image}
    pull_policy: never
    command: [sleep, "1000"]
    stop_grace_period: 0s
    volumes: ["data:/data"]
  once:
    image: {image}
    pull_policy: never
    command: sh -c "echo kept > /tmp/written"
    restart: "no"
volumes:
  data:
"""


@pytest.fixture(autouse=True)
def images() -> Iterator[None]:
    for name in (IMAGE, NEXT):
        build = subprocess.run(
            ["docker", "build", "-q", "-t", name, "-"], input=f"FROM busybox\nLABEL room={name}\n".encode()
        )
        assert build.returncode == 0
    yield
    subprocess.run(["docker", "image", "rm", "-f", IMAGE, NEXT], capture_output=True, check=False)


def bring_up(node: Node, image: str) -> None:
    ended = node.deploy(FILE.format(image=image), SHOP, "--wait")
    assert ended.code == 0, ended.text


def test_what_nothing_needs_goes_and_what_runs_goes_on(running: Node) -> None:
    bring_up(running, IMAGE)
    [network] = running.rows("network", "ls")
    assert (network["name"], network["nodes"]) == (
        f"{SHOP}_default",
        [row["name"] for row in running.rows("node", "ls")],
    )
    attached = json.loads(running.ok("network", "inspect", network["name"], "-o", "json"))["attached"]
    [web] = running.containers("label=gbnt.service=web")
    assert {row["address"] for row in attached if row["task"] == f"{SHOP}-web-1"} == {
        web["NetworkSettings"]["Networks"][network["name"]]["IPAddress"]
    }
    volume = json.loads(running.ok("volume", "inspect", f"{SHOP}_data", "-o", "json"))
    assert (volume["tasks"], list(volume["sizes"].values())) == ([f"{SHOP}-web-1"], [0])
    refused = running.gbnt("volume", "rm", f"{SHOP}_data", "--yes")
    assert (refused.code, f"named by stack {SHOP}" in refused.err) == (1, True)

    [sums] = running.rows("system", "df")
    assert sums["containers"]["in_use"] >= 1
    assert sums["images"]["number"] >= 2
    assert "build cache" in running.ok("system", "df")

    [once] = running.containers("label=gbnt.service=once", running=False)
    told = running.ok("system", "prune", "--dry-run")
    assert "1 ended container" in told
    assert IMAGE not in told  # the stack runs it
    running.ok("system", "prune", "--yes")
    assert running.containers("label=gbnt.service=once", running=False) == []
    assert [one["Id"] for one in running.containers()] == [web["Id"]]
    assert once["Id"] not in running.docker("ps", "-aq", "--no-trunc")
    assert "removed 1 ended container that nothing needed" in running.ok("events")
    assert {row["state"] for row in running.rows("task", "ls")} == {"running", "complete"}


def test_a_stack_that_is_gone_leaves_its_image_and_its_volume_for_who_names_them(running: Node) -> None:
    bring_up(running, IMAGE)
    running.ok("stack", "rm", SHOP)
    until(lambda: running.rows("stack", "ls") == [], "the stack is gone")
    [volume] = running.rows("volume", "ls", "--unnamed")
    assert (volume["name"], volume["stack"], volume["tasks"]) == (f"{SHOP}_data", "", [])
    bring_up(running, NEXT)  # which takes the volume up again
    running.ok("system", "prune", "--yes", "--volumes")
    assert (image_is_here(running, IMAGE), image_is_here(running, NEXT)) == (False, True)
    assert running.rows("volume", "ls", "--unnamed") == []
    running.docker("volume", "inspect", f"{SHOP}_data")
    running.ok("stack", "rm", SHOP)
    until(lambda: running.rows("stack", "ls") == [], "the stack is gone")
    assert running.ok("volume", "rm", f"{SHOP}_data", "--yes").startswith(f"{SHOP}_data: removed from ")
    assert f"{SHOP}_data" not in running.docker("volume", "ls", "-q").split()
    until(lambda: running.rows("volume", "ls") == [], "the manager has heard of it")
    assert "volume.given-up" in running.ok("events")
    missing = running.gbnt("volume", "rm", f"{SHOP}_data", "--yes")
    assert (missing.code, "there is no volume" in missing.err) == (1, True)


def test_a_person_sees_how_busy_tasks_are_until_ctrl_c(running: Node) -> None:
    bring_up(running, IMAGE)
    line = json.loads(running.ok("top", SHOP, "-o", "json"))
    [web] = [row for row in line["tasks"] if row["service"] == "web"]
    assert (web["unknown"], web["pids"], web["memory"] > 0, web["cpu_percent"] >= 0) == ("", 1, True, True)
    [machine] = line["nodes"]
    assert 0 < machine["memory"] < machine["memory_total"]
    assert 0 < machine["disk_free"] <= machine["disk_total"]
    assert f"{SHOP}-web-1" in running.ok("top", f"{SHOP}/web")  # no terminal: once
    with at_terminal((*running.client, "top", "--interval", "0.5"), running.environment, columns=160) as person:
        for _ in range(3):
            person.sees(f"{SHOP}-web-1".encode())
        person.type(b"\x03")
        assert person.waits() == 0
        assert person.is_cooked()


def image_is_here(node: Node, name: str) -> bool:
    return bool(node.docker("images", "-q", name).strip())
