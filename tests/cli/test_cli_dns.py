"""`gbnt dns`."""

from __future__ import annotations

from typing import Any

from tests.cli.conftest import Run
from tests.cli.manager import Manager, listing, problem


def meaning(**fields: Any) -> dict[str, Any]:
    row = {"network": "shop_default", "task": "shop-web-1", "id": "t1", "node": "rome", "address": "10.9.0.5"}
    return {**row, "answers": True, "why": "", **fields}


def test_what_a_name_means_is_a_table_and_says_what_is_in_no_answer(gbnt: Run, manager: Manager):
    ill = meaning(task="shop-web-2", id="t2", address="10.9.0.6", answers=False, why="is unhealthy")
    manager.on("GET /v1/names/web.shop", listing(meaning(), ill))
    out = gbnt("dns", "query", "web.shop").out.splitlines()
    assert out[0].split() == ["NETWORK", "TASK", "NODE", "ADDRESS", "ANSWERED", "NOTE"]
    assert out[1].split() == ["shop_default", "shop-web-1", "rome", "10.9.0.5", "yes", "-"]
    assert out[2].split() == ["shop_default", "shop-web-2", "rome", "10.9.0.6", "no", "is", "unhealthy"]
    assert gbnt("dns", "query", "web.shop", "-q").out.split() == ["10.9.0.5", "10.9.0.6"]


def test_a_service_without_a_replica_is_said_to_have_none(gbnt: Run, manager: Manager):
    manager.on("GET /v1/names/web.shop", listing())
    ran = gbnt("dns", "query", "web.shop")
    assert (ran.status, ran.out, ran.err) == (0, "", "web.shop has no replica\n")


def test_a_name_that_nobody_has_is_not_there(gbnt: Run, manager: Manager):
    manager.on("GET /v1/names/nobody", problem(404, "not_found", 'there is no name "nobody"'))
    ran = gbnt("dns", "query", "nobody")
    assert (ran.status, ran.err) == (1, 'error: there is no name "nobody"\n')
