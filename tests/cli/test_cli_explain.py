"""`gbnt explain` against a manager that answers what the test says."""

import json

from tests.cli.conftest import Run
from tests.cli.manager import Answer, Manager, listing, problem
from tests.cli.rows import service

LABEL = {"why": "lacks label disk=ssd", "remedy": "`gbnt node update rome --label-add disk=ssd`"}
PAUSED = {"why": "is paused", "remedy": "`gbnt node update rome --availability active`"}
FOUND = {
    "subject": "shop-web-1",
    "sentence": "waits for a machine (2 nodes: 1 lacks label disk=ssd, 1 has port 80 taken by another task)",
    "nodes": [
        {"node": "oslo", "id": "b", "word": "best", "reasons": []},
        {"node": "rome", "id": "a", "word": "no", "reasons": [PAUSED, LABEL]},
    ],
}
NOTHING = problem(404, "not_found", "there is no task")


def test_each_machine_has_a_line_for_each_reason_and_what_would_change_it(gbnt: Run, manager: Manager):
    manager.on("GET /v1/tasks/shop-web-1/placement", Answer(FOUND))
    assert gbnt("explain", "shop-web-1").out.splitlines() == [
        f"shop-web-1: {FOUND['sentence']}",
        "",
        "NODE  MAY GO THERE            WHY NOT               WHAT WOULD CHANGE IT",
        "oslo  yes, before all others  -                     -",
        "rome  no                      is paused             `gbnt node update rome --availability active`",
        "rome  no                      lacks label disk=ssd  `gbnt node update rome --label-add disk=ssd`",
    ]


def test_as_json_it_is_what_the_api_gave(gbnt: Run, manager: Manager):
    manager.on("GET /v1/services/shop/web/placement", Answer(FOUND))
    assert json.loads(gbnt("explain", "shop/web", "-o", "json").out) == FOUND


def test_what_is_no_task_may_be_a_service_by_its_name_alone(gbnt: Run, manager: Manager):
    manager.on("GET /v1/tasks/web/placement", NOTHING)
    manager.on("GET /v1/services", listing(service("shop/web")))
    manager.on("GET /v1/services/shop/web/placement", Answer({**FOUND, "nodes": []}))
    assert gbnt("explain", "web").out == f"shop-web-1: {FOUND['sentence']}\n"


def test_what_is_neither_is_no_task(gbnt: Run, manager: Manager):
    manager.on("GET /v1/tasks/wbe/placement", NOTHING)
    manager.on("GET /v1/services", listing(service("shop/web")))
    ran = gbnt("explain", "wbe")
    assert (ran.status, ran.out, ran.err) == (1, "", "error: there is no task\n")
