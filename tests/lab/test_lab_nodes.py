"""What people do with machines, on three real engines: empty one, confirm a loss, promote one, have one leave."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.e2e.node import until
from tests.lab.lab import Lab
from tests.lab.sightings import sights, slots

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(180)]

REPLICAS = 6
WANTED = Counter({f"web.{slot}": 1 for slot in range(1, REPLICAS + 1)})


@pytest.fixture
def shop(legion: Lab, service) -> Lab:
    """A legion on which a service runs, two replicas on each machine."""
    legion.machines[0].bring_up(service(REPLICAS), "shop")
    return legion


def where(lab: Lab) -> Counter[str]:
    return Counter(sight.machine for sight in sights(lab.machines))


def test_a_drained_machine_is_empty_when_the_command_returns_and_the_others_were_not_touched(shop):
    rome, second, _ = shop.machines
    before = [sight for sight in sights(shop.machines) if sight.machine != "rome-2"]
    drained = rome.gbnt("node", "update", "rome-2", "--availability", "drain")
    assert drained.code == 0, drained.text
    assert drained.out == "rome-2: drain: its tasks move elsewhere, one by one\nrome-2: is empty\n"
    assert "its successor on rome-" in drained.err
    assert "waits for its turn" in drained.err
    assert drained.err.count("  left\n") == REPLICAS // 3
    assert second.containers() == []
    assert slots(shop.machines) == WANTED
    assert set(before) <= set(sights(shop.machines))
    assert "3 ready (of these 1 drain)" in rome.ok("legion", "status")
    rome.ok("node", "update", "rome-2", "--availability", "active")
    rome.ok("service", "scale", "shop/web=9", "--wait")
    assert where(shop)["rome-2"] == 3


def test_where_two_of_three_are_gone_the_command_that_the_alarm_names_replaces_their_tasks(shop):
    rome, second, third = shop.machines
    shop.cut(second, third)
    until(lambda: [row["status"] for row in rome.rows("node", "ls")] == ["ready", "down", "down"], "two that are down")
    told = rome.gbnt("node", "ls").err
    assert "no tasks are replaced: 2 of 3 machines were lost at once" in told
    assert "`gbnt legion confirm-loss`" in told
    assert "confirm-loss" in rome.ok("legion", "status")
    assert (rome.gbnt("health").code, rome.health()["checks"]["legion"]["ok"]) == (1, False)
    confirmed = rome.ok("legion", "confirm-loss").splitlines()
    assert confirmed == [f"rome-{n}: 2 tasks replaced elsewhere from now on" for n in (2, 3)]
    until(lambda: where(shop)["rome-1"] == REPLICAS, "all tasks on the machine that is left")
    until(rome.is_well, "no alarm")
    shop.heal()
    until(lambda: slots(shop.machines) == WANTED, "each task once")
    assert where(shop) == {"rome-1": REPLICAS}


def test_a_promoted_machine_gets_what_is_for_managers_and_a_certificate_that_says_so(legion, service):
    rome, second, _ = legion.machines
    serial = {row["name"]: row["certificate_expires"] for row in rome.rows("node", "ls")}
    told = rome.ok("node", "promote", "rome-2")
    assert "rome-2: is a manager, which does not vote yet" in told
    placed = f"{service(2)}      placement: {{constraints: [node.role == manager, node.hostname != rome-1]}}\n"
    rome.bring_up(placed.replace("deploy: {replicas: 2}", "deploy:\n      replicas: 2"), "shop")
    assert where(legion) == {"rome-2": 2}

    def renewed() -> bool:
        [row] = [row for row in rome.rows("node", "ls") if row["name"] == "rome-2"]
        return bool(row["certificate_expires"] > serial["rome-2"] and row["status"] == "ready")

    until(renewed, "the next certificate")
    text = second.run("openssl", "x509", "-noout", "-text", "-in", str(second.data / "pki" / "node.pem"))
    assert "DNS:manager." in text.out
    refused = rome.gbnt("node", "rm", "rome-2", "--force")
    assert (refused.code, "gbnt node demote rome-2" in refused.err) == (1, True)
    rome.ok("node", "demote", "rome-2")
    assert "is the last manager" in rome.gbnt("node", "demote", "rome-1").err


def test_a_machine_leaves_while_its_service_goes_on_and_joins_again(shop):
    rome, second, _ = shop.machines
    left = second.gbnt("legion", "leave")
    assert (left.code, "stop it, and run `gbnt legion leave` again" in left.err) == (1, True), left.text
    assert [row["name"] for row in rome.rows("node", "ls")] == ["rome-1", "rome-3"]
    assert slots(shop.machines) == WANTED
    second.stop()
    assert second.gbnt("legion", "leave").code == 0
    assert second.docker("ps", "-aq") == ""
    assert "shop" not in second.docker("network", "ls")
    second.paste(rome.ok("legion", "join-token"))
    second.settle()
    until(lambda: len(rome.rows("node", "ls")) == 3, "three machines")
    rome.ok("service", "scale", "shop/web=9", "--wait")
    assert where(shop)["rome-2"] == 3
