"""`gbnt network` and `gbnt volume`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cli.manager import Answer, HangUp, Manager, listing, problem


def network(name: str = "shop_default", **fields: Any) -> dict[str, Any]:
    row = {"name": name, "stack": "shop", "key": "default", "external": False, "driver": "bridge", "internal": False}
    return {**row, "subnet": "10.9.0.0/24", "gateway": "10.9.0.1", "nodes": ["rome"], "tasks": ["shop-web-1"], **fields}


def volume(name: str = "shop_data", **fields: Any) -> dict[str, Any]:
    row = {
        "name": name,
        "stack": "shop",
        "key": "data",
        "external": False,
        "driver": "local",
        "nodes": ["gaul", "rome"],
    }
    return {**row, "tasks": ["shop-db-1"], **fields}


def gone(name: str, *removed: str, kept: tuple[tuple[str, str], ...] = ()) -> Answer:
    listed = [{"node": node, "why": why} for node, why in kept]
    return Answer({"revision": 8, "volume": name, "removed": list(removed), "kept": listed})


def test_networks_are_listed_with_machines_and_tasks(gbnt: Run, manager: Manager):
    edge = network("edge", external=True, driver="", subnet="", nodes=[], tasks=[])
    manager.on("GET /v1/networks", listing(edge, network()))
    out = gbnt("network", "ls").out.splitlines()
    assert out[0].split() == ["NAME", "STACK", "DRIVER", "SUBNET", "NODES", "TASKS", "NOTE"]
    assert out[1].split() == ["edge", "shop", "-", "-", "-", "0", "not", "made", "by", "gbnt"]
    assert out[2].split() == ["shop_default", "shop", "bridge", "10.9.0.0/24", "rome", "1", "-"]


def test_a_network_s_tasks_are_a_table_where_that_is_asked_for(gbnt: Run, manager: Manager):
    attached = [{"task": "shop-web-1", "id": "t1", "node": "rome", "address": "10.9.0.5"}]
    manager.on("GET /v1/networks/shop_default", Answer({**network(), "attached": attached}))
    assert gbnt("network", "inspect", "shop_default", "-o", "table").out.splitlines()[1].split() == [
        "shop-web-1",
        "rome",
        "10.9.0.5",
    ]
    assert "subnet: 10.9.0.0/24" in gbnt("network", "inspect", "shop_default").out


def test_of_a_stack_that_is_not_there_nothing_is_listed(gbnt: Run, manager: Manager):
    for word in ("networks", "volumes"):
        manager.on(f"GET /v1/{word}", listing())
    manager.on("GET /v1/stacks/shpo", problem(404, "not_found", 'there is no stack "shpo"'))
    for word in ("network", "volume"):
        ran = gbnt(word, "ls", "--stack", "shpo")
        assert (ran.status, ran.err) == (1, 'error: there is no stack "shpo"\n')


def test_volumes_are_listed_and_those_that_no_stack_names_alone_for_another_command(gbnt: Run, manager: Manager):
    old = volume("old_data", stack="", driver="", nodes=["rome"], tasks=[])
    manager.on("GET /v1/volumes", listing(old, volume()))
    out = gbnt("volume", "ls").out.splitlines()
    assert out[1].split() == ["old_data", "-", "-", "rome", "-", "no", "stack", "names", "it"]
    assert out[2].split() == ["shop_data", "shop", "local", "gaul,", "rome", "shop-db-1", "-"]
    assert gbnt("volume", "ls", "--unnamed", "-q").out == "old_data\n"


def test_a_volume_is_not_removed_without_a_yes(gbnt: Run, manager: Manager):
    manager.on("GET /v1/volumes/old_data", Answer(volume("old_data")))
    ran = gbnt("volume", "rm", "old_data")
    assert ran.status == 2
    assert "say --yes" in ran.err
    assert "  old_data on gaul, rome" in ran.err
    assert [asked.method for asked in manager.asked] == ["GET"]


def test_it_says_where_a_volume_is_gone_from_and_fails_where_one_stays(gbnt: Run, manager: Manager):
    manager.on("GET /v1/volumes/old_data", Answer(volume("old_data")))
    manager.on("DELETE /v1/volumes/old_data", gone("old_data", "gaul", kept=(("rome", "is down: no beat"),)))
    ran = gbnt("volume", "rm", "old_data", "--yes")
    assert (ran.status, ran.out) == (1, "old_data: removed from gaul\n")
    assert ran.err == "error: old_data stays on rome, which is down: no beat\n"


def test_one_that_is_gone_already_for_its_answer_was_lost_is_no_failure(gbnt: Run, manager: Manager):
    manager.on("GET /v1/volumes/old_data", Answer(volume("old_data")))
    manager.on("DELETE /v1/volumes/old_data", HangUp(), gone("old_data"))
    ran = gbnt("volume", "rm", "old_data", "--yes")
    assert (ran.status, ran.out) == (0, "old_data: removed from every machine already\n")
    first, second = (asked for asked in manager.asked if asked.method == "DELETE")
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]


def test_one_that_is_refused_keeps_no_other_from_going(gbnt: Run, manager: Manager):
    for name in ("a", "b"):
        manager.on(f"GET /v1/volumes/{name}", Answer(volume(name)))
    manager.on("DELETE /v1/volumes/a", problem(409, "conflict", "volume a is used by shop-db-1"))
    manager.on("DELETE /v1/volumes/b", gone("b", "rome"))
    ran = gbnt("volume", "rm", "a", "b", "-y")
    assert (ran.status, ran.out) == (1, "b: removed from rome\n")
    assert ran.err == "error: volume a is used by shop-db-1\n"


def test_the_same_command_goes_on_where_the_last_one_could_not(gbnt: Run, manager: Manager):
    nowhere = problem(404, "not_found", 'there is no volume "a"; `gbnt volume ls` lists what there is')
    manager.on("GET /v1/volumes/a", Answer(volume("a")), nowhere)
    manager.on("GET /v1/volumes/b", Answer(volume("b")))
    manager.on("DELETE /v1/volumes/a", gone("a", "rome"))
    manager.on("DELETE /v1/volumes/b", gone("b", kept=(("rome", "is down: no beat"),)), gone("b", "rome"))
    first, second = gbnt("volume", "rm", "a", "b", "-y"), gbnt("volume", "rm", "a", "b", "-y")
    assert (first.status, first.out) == (1, "a: removed from rome\n")
    assert (second.status, second.out) == (0, "b: removed from rome\n")
    assert second.err == 'passed over: there is no volume "a"; `gbnt volume ls` lists what there is\n'
    alone = gbnt("volume", "rm", "a", "-y")
    assert (alone.status, alone.err) == (1, 'error: there is no volume "a"; `gbnt volume ls` lists what there is\n')
    manager.on("GET /v1/volumes/c", nowhere)
    neither = gbnt("volume", "rm", "a", "c", "-y")
    assert (neither.status, neither.err.splitlines()[-1]) == (1, "error: none of these volumes is there")


@pytest.mark.parametrize("word", ["network", "volume"])
def test_each_command_has_an_example(gbnt: Run, word: str):
    assert "Example:" in gbnt(word, "ls", "--help").out
