"""A machine whose disk was copied with its identity: one of the two is kept out, and told what to do."""

from __future__ import annotations

import shutil

import pytest

from tests.e2e.node import until
from tests.lab.lab import Lab
from tests.lab.sightings import sights

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(240)]


def test_a_copy_of_a_machine_is_kept_out_and_is_a_node_of_its_own_once_it_was_reset(three: Lab, service):
    rome, second, third = three.machines
    three.legion(rome, second)
    rome.bring_up(service(4), "shop")
    before = sights([rome, second])
    second.stop()
    shutil.copytree(second.data, third.data, ignore=shutil.ignore_patterns("run"))
    second.start()
    until(lambda: [row["status"] for row in rome.rows("node", "ls")] == ["ready", "ready"], "a worker that is back")

    third.launch()
    words = f"{third.address} is not let in while {second.address} is connected"
    until(lambda: words in rome.log, "a manager that has noticed")
    until(lambda: "`sudo gbnt reset` on the copy" in str(third.health()), "a copy that says what to do")
    assert second.health()["status"] == "ok"
    assert [row["status"] for row in rome.rows("node", "ls")] == ["ready", "ready"]
    assert sights([rome, second]) == before

    third.stop()
    third.ok("reset", "--yes")
    assert third.docker("ps", "-aq") == ""
    third.paste(rome.ok("legion", "join-token"))
    third.settle()
    until(lambda: [row["name"] for row in rome.rows("node", "ls")] == ["rome-1", "rome-2", "rome-3"], "three nodes")
    assert sights([rome, second]) == before
