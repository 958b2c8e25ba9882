"""Upgrades as `docs/operations.md` has them: manager first, then one worker after the other, each by a planned stop."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import anyio
import pytest

from network.keeper import ResolverKeeper, ResolverStatus
from tests.e2e.node import until
from tests.lab.lab import Lab, lab
from tests.lab.machine import Machine
from tests.lab.release import install, release
from tests.lab.sightings import sights, slots

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(300)]

OLD, NEW = "0.7.0", "0.8.0"
# It says so where it gets no answer.
ASKS = """
services:
  asks:
    image: busybox
    command: [sh, -c, "while :; do nslookup asks >/dev/null && echo found || echo lost; usleep 200000; done"]
    init: true
    deploy: {replicas: 4}
"""
SLOW = """
services:
  slow:
    image: busybox
    command: [sh, -c, "sleep 8; touch /ready; sleep 1000"]
    init: true
    healthcheck: {test: [CMD, test, -f, /ready], interval: 1s, retries: 60}
"""


@pytest.fixture
def four(service) -> Iterator[Lab]:
    """A legion of four of the old release, on which two services run, a replica of each on each machine."""
    with lab(4) as one:
        old = release(one.folder, OLD, 7)
        for machine in one.machines:
            install(machine, old)
        one.legion()
        rome = one.machines[0]
        rome.bring_up(service(4), "shop")
        rome.bring_up(ASKS, "names")
        yield one


def is_down(rome: Machine, machine: Machine) -> bool:
    return (machine.name, "down") in [(row["name"], row["status"]) for row in rome.rows("node", "ls")]


def resolver(machine: Machine) -> ResolverStatus:
    return anyio.run(ResolverKeeper(machine.data / "run", command=()).status)


def history(rome: Machine) -> list[tuple[str, str, str]]:
    """Each task with its slot and its machine, those that ended, too."""
    return sorted((row["name"], row["id"], row["node"]) for row in rome.rows("task", "ls", "--all"))


def is_well(rome: Machine, machines: Sequence[Machine]) -> bool:
    """As a person sees it who goes from machine to machine, and by what the manager says."""
    ready = [row["status"] for row in rome.rows("node", "ls")] == ["ready"] * len(machines)
    well = all(machine.is_well() for machine in machines)
    return ready and well and all(row["state"] == "running" for row in rome.rows("task", "ls"))


def test_an_upgrade_touches_no_container_replaces_nothing_and_loses_no_question(four: Lab):
    rome, *workers = four.machines
    new = release(four.folder, NEW, 8)
    before, tasks = sights(four.machines), history(rome)
    pids = {machine.name: resolver(machine).pid for machine in four.machines}

    for machine in four.machines:
        machine.stop()
        install(machine, new)
        if machine is rome:
            until(lambda: all("left=True" in worker.log for worker in workers), "workers that know of the plan")
        else:
            until(partial(is_down, rome, machine), "a machine that is away by plan")
            assert history(rome) == tasks
        machine.start()
        until(lambda: is_well(rome, four.machines), "a whole legion")
        assert sights(four.machines) == before
    assert history(rome) == tasks
    assert {row["name"]: row["version"] for row in rome.rows("node", "ls")} == dict.fromkeys(pids, NEW)
    assert {machine.name: (resolver(machine).version, resolver(machine).pid) for machine in four.machines} == {
        name: (8, pid) for name, pid in pids.items()
    }
    asked = Counter(line.split()[-1] for line in rome.ok("logs", "names/asks").splitlines())
    assert asked["found"]
    assert not asked["lost"]
    assert "Traceback" not in "".join(machine.log for machine in four.machines)


def test_a_machine_that_stopped_by_plan_is_held_while_one_that_fell_silent_is_replaced(four: Lab):
    rome, _, third, fourth = four.machines
    before = sights(four.machines)
    third.stop()
    until(partial(is_down, rome, third), "a machine that is away by plan")
    four.cut(fourth)
    others = [machine for machine in four.machines if machine is not fourth]
    until(lambda: set(slots(others).values()) == {1} and len(slots(others)) == 8, "replacements of the silent one's")
    there = [sight for sight in before if sight.machine == third.name]
    assert [sight for sight in sights(four.machines) if sight.slot in {one.slot for one in there}] == there
    four.heal()
    third.start()
    until(lambda: is_well(rome, four.machines), "a whole legion")
    assert [sight for sight in sights([third]) if sight in before] == there


def test_a_deploy_that_is_watched_goes_on_through_the_manager_s_upgrade(four: Lab, tmp_path: Path):
    rome = four.machines[0]
    (tmp_path / "compose.yaml").write_text(SLOW)
    command = [*rome.place, *rome.client, "stack", "deploy", "-c", str(tmp_path / "compose.yaml"), "slow"]
    with subprocess.Popen(command, env=rome.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as deploy:
        until(lambda: [row for row in rome.rows("task", "ls") if row["state"] == "starting"], "a task that starts")
        rome.stop()
        install(rome, release(four.folder, NEW, 8))
        rome.start()
        said, _ = deploy.communicate(timeout=120)
    assert deploy.returncode == 0, said.decode()
    assert b"slow runs as the file says" in said
