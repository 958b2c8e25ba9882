"""`gbnt service`, `gbnt task` and `gbnt logs` against a manager that answers what the test says."""

import json

import pytest

from tests.cli.conftest import Run
from tests.cli.manager import Answer, Lines, Manager, listing, problem
from tests.cli.rows import service, task, verdict


def accepted(service: str = "", change: str = "") -> Answer:
    return Answer({"revision": 8, "changes": {service: change} if service else {}, "detail": {}})


PORTS = [
    {"target": 80, "published": 8080, "published_last": None, "protocol": "tcp", "host_ip": "127.0.0.1"},
    {"target": 53, "published": None, "published_last": None, "protocol": "udp", "host_ip": ""},
    {"target": 81, "published": 9000, "published_last": 9005, "protocol": "tcp", "host_ip": ""},
]


def test_services_are_listed_with_their_ports(gbnt: Run, manager: Manager):
    stopped = service("wiki/db", stopped=True, running=0)
    manager.on("GET /v1/services", listing(service(ports=PORTS, replicas=3), stopped))
    assert gbnt("service", "ls").out.splitlines() == [
        "NAME      REPLICAS  IMAGE    PORTS                                                 UPDATE",
        "shop/web  1/3       busybox  127.0.0.1:8080->80/tcp, *->53/udp, 9000-9005->81/tcp  -",
        "wiki/db   stopped   busybox  -                                                     -",
    ]


@pytest.mark.parametrize("kind", ["service", "task"])
def test_a_list_of_a_stack_that_is_not_there_is_no_empty_list(gbnt: Run, manager: Manager, kind: str):
    manager.on(f"GET /v1/{kind}s", listing())
    manager.on("GET /v1/stacks/shpo", problem(404, "not_found", 'there is no stack "shpo"; did you mean "shop"?'))
    ran = gbnt(kind, "ls", "--stack", "shpo")
    assert (ran.status, ran.out, ran.err) == (1, "", 'error: there is no stack "shpo"; did you mean "shop"?\n')


def test_finished_work_is_shown_as_done(gbnt: Run, manager: Manager):
    migrate = service("shop/migrate", running=0, done=1)
    import_ = service("shop/import", running=1, done=1, replicas=3)
    manager.on("GET /v1/services", listing(migrate, import_))
    lines = gbnt("service", "ls").out.splitlines()
    assert [line.split("  ")[1].strip() for line in lines[1:]] == ["1/1 done", "2/3, 1 done"]


def test_a_list_as_json_holds_the_rows_as_the_api_gave_them(gbnt: Run, manager: Manager):
    row = service(ports=PORTS, something_new={"a": 1})
    manager.on("GET /v1/services", listing(row))
    assert json.loads(gbnt("service", "ls", "-o", "json").out) == [row]


def test_an_empty_list_prints_nothing_that_a_script_could_take_for_a_row(gbnt: Run, manager: Manager):
    manager.on("GET /v1/services", listing())
    ran = gbnt("service", "ls")
    assert (ran.out, ran.err) == ("", "no services\n")
    assert gbnt("service", "ls", "-o", "yaml").out == "[]\n"


@pytest.mark.parametrize("number", ["9" * 20, "9" * 5_000])
def test_more_replicas_than_there_can_be_are_refused(gbnt: Run, manager: Manager, number: str):
    ran = gbnt("service", "scale", f"shop/web={number}")
    assert (ran.status, "is not SERVICE=REPLICAS" in ran.err) == (2, True)
    assert not manager.asked


def test_scale_takes_several_services_and_says_what_it_did(gbnt: Run, manager: Manager):
    manager.on("POST /v1/services/shop/web/scale", accepted("shop/web", "scaled from 1 to 3"))
    manager.on("POST /v1/services/shop/api/scale", accepted("shop/api", "unchanged"))
    ran = gbnt("service", "scale", "shop/web=3", "shop/api=2")
    assert ran.out == "shop/web: scaled from 1 to 3\nshop/api: nothing to change\n"
    assert [json.loads(asked.body) for asked in manager.asked] == [{"replicas": 3}, {"replicas": 2}]


@pytest.mark.parametrize("target", ["shop/web", "shop/web=", "=3", "shop/web=-1", "shop/web=many"])
def test_a_wrong_target_changes_nothing(gbnt: Run, manager: Manager, target: str):
    ran = gbnt("service", "scale", "shop/api=2", target)
    assert (ran.status, ran.err) == (2, f'error: "{target}" is not SERVICE=REPLICAS, as in shop/web=3\n')
    assert not manager.asked


def test_a_bare_name_is_enough_where_one_stack_has_it(gbnt: Run, manager: Manager):
    manager.on("GET /v1/services", listing(service("shop/web"), service("wiki/db"), service("shop/db")))
    manager.on("POST /v1/services/shop/web/restart", accepted("shop/web", "restarting"))
    assert gbnt("service", "restart", "web").out == "shop/web: restarting\n"

    several = gbnt("service", "restart", "db")
    assert several.status == 2
    assert several.err == 'error: several stacks have a service "db": say which one of shop/db, wiki/db\n'

    unknown = gbnt("service", "restart", "wbe")
    assert unknown.status == 1
    assert unknown.err == 'error: there is no service "wbe" (did you mean "web"?); `gbnt service ls` lists them\n'


def test_update_needs_something_to_change(gbnt: Run, manager: Manager):
    assert gbnt("service", "update", "shop/web").status == 2
    manager.on("POST /v1/services/shop/web/update", accepted("shop/web", "restarting"))
    manager.on("GET /v1/stacks/shop/progress", Lines(verdict()))
    assert gbnt("service", "update", "shop/web", "--image", "busybox:2", "--wait").status == 0
    assert json.loads(manager.asked[0].body) == {"image": "busybox:2", "force": False}


def test_stop_start_and_rm_of_a_service(gbnt: Run, manager: Manager):
    manager.on("POST /v1/services/shop/web/stop", accepted("shop/web", "stopped"))
    manager.on("POST /v1/services/shop/web/start", accepted("shop/web", "started"))
    manager.on("DELETE /v1/services/shop/web", accepted("shop/web", "is being removed"))
    said = [gbnt("service", action, "shop/web").out for action in ("stop", "start", "rm")]
    assert said == ["shop/web: stopped\n", "shop/web: started\n", "shop/web: is being removed\n"]


def test_a_refusal_is_the_managers_own_sentence(gbnt: Run, manager: Manager):
    finding = {"path": "replicas", "message": "3 replicas cannot share port 80", "hint": "publish a range"}
    refused = problem(422, "invalid", "shop/web cannot be scaled", findings=[finding])
    manager.on("POST /v1/services/shop/web/scale", refused)
    ran = gbnt("service", "scale", "shop/web=3")
    assert ran.status == 2
    assert ran.err.splitlines() == [
        "error: shop/web cannot be scaled",
        "  replicas: 3 replicas cannot share port 80 (publish a range)",
    ]


def test_service_ps_shows_only_that_service(gbnt: Run, manager: Manager):
    manager.on("GET /v1/services/shop/web", Answer(service()))
    manager.on("GET /v1/tasks", listing(task()))
    assert gbnt("service", "ps", "shop/web").out.splitlines()[1].startswith("web.1  rome  running")
    assert manager.asked[-1].query == {"stack": "shop", "service": "web", "all": "1"}


def test_tasks_of_all_stacks_are_listed_by_their_whole_name(gbnt: Run, manager: Manager):
    manager.on("GET /v1/tasks", listing(task(), task("wiki-db-1", state="preparing", problem="no such image: x")))
    lines = gbnt("task", "ls").out.splitlines()
    assert lines[1].startswith("shop-web-1  rome  running")
    assert lines[2].startswith("wiki-db-1   rome  preparing")
    assert lines[2].endswith("no such image: x")


def test_task_rm_and_inspect(gbnt: Run, manager: Manager):
    manager.on("DELETE /v1/tasks/shop-web-1", accepted())
    manager.on("GET /v1/tasks/shop-web-1", Answer(task()))
    assert gbnt("task", "rm", "shop-web-1").out == "shop-web-1 is being stopped; its service replaces it\n"
    assert "container_name: shop-web-1-a1\n" in gbnt("task", "inspect", "shop-web-1").out


def line(text: str, task: str = "shop-web-1", stream: str = "stdout") -> dict[str, object]:
    return {"task": task, "task_id": "1", "at": "2026-05-01T12:00:00Z", "stream": stream, "text": text}


def test_logs_go_where_they_came_from(gbnt: Run, manager: Manager):
    manager.on("GET /v1/services/shop/web/logs", Lines(line("hello"), line("oh", "shop-web-2", "stderr")))
    ran = gbnt("logs", "shop/web", "-f", "--tail", "5")
    assert (ran.out, ran.err) == ("shop-web-1 | hello\n", "shop-web-2 | oh\n")
    assert manager.asked[0].query == {"follow": "1", "tail": "5"}


def test_logs_since_a_while_ago(gbnt: Run, manager: Manager, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("time.time", lambda: 10_000.0)
    manager.on("GET /v1/tasks/shop-web-1/logs", Lines(line("hello")))
    assert gbnt("task", "logs", "shop-web-1", "--since", "10m", "-p").status == 0
    assert manager.asked[0].query == {"since": "9400", "previous": "1"}
    assert gbnt("task", "logs", "shop-web-1", "--since", "soon").status == 2


def test_a_stream_that_says_an_error_at_its_end_fails(gbnt: Run, manager: Manager):
    broken = {"error": "the engine stopped answering", "code": "conflict"}
    manager.on("GET /v1/services/shop/web/logs", Lines(line("hello"), broken))
    ran = gbnt("service", "logs", "shop/web")
    assert (ran.status, ran.out, ran.err) == (1, "shop-web-1 | hello\n", "error: the engine stopped answering\n")
