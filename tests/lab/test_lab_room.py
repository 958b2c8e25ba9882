"""Room on three real engines: all of them are asked, and one that is away is named and caught up with later."""

from __future__ import annotations

import json

import pytest

from tests.e2e.node import until
from tests.lab.lab import IMAGE, Lab
from tests.lab.machine import Machine

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(240)]

FILE = """
services:
  web:
    image: busybox
    command: sh -c "dd if=/dev/zero of=/data/some bs=1M count=3; exec sleep 1000"
    init: true
    stop_grace_period: 0s
    volumes: ["data:/data"]
    deploy: {mode: global}
volumes:
  data:
"""
NAMES = ["rome-1", "rome-2", "rome-3"]


def statuses(rome: Machine) -> list[str]:
    return [row["status"] for row in rome.rows("node", "ls")]


def volumes_of(machine: Machine) -> list[str]:
    return [name for name in machine.docker("volume", "ls", "-q").split() if name == "shop_data"]


def test_all_machines_are_asked_and_one_that_is_away_is_named_and_caught_up_with(legion: Lab) -> None:
    rome, _, third = legion.machines
    until(lambda: statuses(rome) == ["ready"] * 3, "three machines that are ready")
    ended = rome.deploy(FILE, "shop", "--wait")
    assert ended.code == 0, ended.text

    [network] = rome.rows("network", "ls")
    assert (network["nodes"], len(network["tasks"])) == (NAMES, 3)
    [volume] = rome.rows("volume", "ls", "--size")
    assert (volume["nodes"], len(volume["tasks"]), volume["unknown"]) == (NAMES, 3, {})
    assert {node: size >= 3 << 20 for node, size in volume["sizes"].items()} == dict.fromkeys(NAMES, True)
    assert [row["node"] for row in rome.rows("system", "df")] == NAMES
    line = json.loads(rome.ok("top", "shop", "-o", "json"))
    assert [(row["node"], row["unknown"]) for row in line["nodes"]] == [(name, "") for name in NAMES]
    assert sorted((row["node"], row["pids"] >= 1) for row in line["tasks"]) == [(name, True) for name in NAMES]

    rome.ok("stack", "rm", "shop")
    until(lambda: rome.rows("stack", "ls") == [], "the stack is gone")
    legion.cut(third)
    until(lambda: statuses(rome) == ["ready", "ready", "down"], "one that is away")
    told = rome.gbnt("system", "df", "-o", "json")
    assert [(row["node"], bool(row["unknown"])) for row in json.loads(told.out)] == [
        ("rome-1", False),
        ("rome-2", False),
        ("rome-3", True),
    ]
    assert (told.code, "error: rome-3 is down" in told.err) == (1, True)
    removed = rome.gbnt("volume", "rm", "shop_data", "--yes")
    assert (removed.code, removed.out) == (1, "shop_data: removed from rome-1, rome-2\n")
    assert "shop_data stays on rome-3, which is down" in removed.err
    assert [volumes_of(machine) for machine in legion.machines] == [[], [], ["shop_data"]]
    pruned = rome.gbnt("system", "prune", "--yes")
    assert (pruned.code, "left out: rome-3 is down" in pruned.err) == (1, True)
    assert [bool(machine.docker("images", "-q", IMAGE)) for machine in legion.machines] == [False, False, True]

    legion.heal()
    until(lambda: statuses(rome) == ["ready"] * 3, "all of them again")
    assert rome.ok("volume", "rm", "shop_data", "--yes") == "shop_data: removed from rome-3\n"
    assert "rome-3: removed 1 image" in rome.ok("system", "prune", "--yes")
    assert (volumes_of(third), third.docker("images", "-q", IMAGE)) == ([], "")
    until(lambda: rome.rows("volume", "ls") == [], "the manager has heard of it")
