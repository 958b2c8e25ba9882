"""`gbnt top`: who is busy, once on request, and over and over on a terminal."""

from __future__ import annotations

import io
import json
from typing import Any, cast

import pytest

from cli.load_report import refreshed, report
from portal.load_rows import LoadLine, NodeLoad, TaskLoad
from tests.cli import rows
from tests.cli.conftest import Run
from tests.cli.manager import Answer, Lines, Manager, listing, problem


def task(name: str, cpu: float | None = 1.0, **fields: Any) -> TaskLoad:
    stack, service, slot = name.rsplit("-", 2)
    row: TaskLoad = {
        "task": name,
        "id": f"id-of-{name}",
        "stack": stack,
        "service": service,
        "slot": int(slot) if slot.isdecimal() else 1,
        "state": "running",
        "node": "rome",
        "cpu_percent": cpu,
        "unknown": "",
        "memory": 7_000_000,
        "memory_limit": 8_000_000,
        "received": 1000,
        "sent": 20,
        "read": 0,
        "written": 5_000_000,
        "pids": 3,
    }
    return cast("TaskLoad", row | fields)


def node(name: str = "rome", **fields: Any) -> NodeLoad:
    row: NodeLoad = {
        "node": name,
        "id": f"id-of-{name}",
        "unknown": "",
        "load": 0.5,
        "cpus": 4,
        "memory": 2_000_000_000,
        "memory_total": 8_000_000_000,
        "disk_free": 41_000_000_000,
        "disk_total": 64_000_000_000,
    }
    return cast("NodeLoad", row | fields)


def line(*tasks: TaskLoad, nodes: tuple[NodeLoad, ...] = ()) -> LoadLine:
    return {"at": 1.0, "tasks": list(tasks), "nodes": list(nodes or (node(),))}


def cells(text: str) -> list[str]:
    return [cell for cell in text.split("  ") if cell.strip()]


def test_tasks_stand_below_machines_the_busiest_first(gbnt: Run, manager: Manager):
    manager.on("GET /v1/stats", Lines(line(task("shop-db-1", 0.2), task("shop-web-1", 150.0))))
    out = gbnt("top", "--no-stream").out.splitlines()
    assert [cell.strip() for cell in cells(out[1])] == ["rome", "0.50", "4", "2.0 GB / 8.0 GB", "41 GB / 64 GB", "-"]
    assert out[2] == ""
    assert [cell.strip() for cell in cells(out[4])] == [
        "shop-web-1",
        "rome",
        "150.0 %",
        "7.0 MB / 8.0 MB",
        "1.0 kB / 20 B",
        "0 B / 5.0 MB",
        "3",
        "-",
    ]
    assert out[5].startswith("shop-db-1")
    by_name = gbnt("top", "--sort", "name").out.splitlines()
    assert by_name[4].startswith("shop-db-1")
    assert "follow" not in manager.asked[0].query


def test_what_nobody_knows_is_a_question_mark_with_the_reason(gbnt: Run, manager: Manager):
    unknown = dict.fromkeys(("memory", "memory_limit", "received", "sent", "read", "written", "pids"))
    away = node("gaul", unknown="is down: no beat", load=None, memory=None, memory_total=None)
    manager.on("GET /v1/stats", Lines(line(task("shop-web-1", None, **unknown, unknown="gaul is down"), nodes=(away,))))
    out = gbnt("top").out.splitlines()
    assert "?" in out[1]
    assert "is down: no beat" in out[1]
    assert "gaul is down" in out[4]


@pytest.mark.parametrize(
    ("subject", "query"),
    [
        ("shop", {"stack": "shop"}),
        ("shop/web", {"service": "shop/web"}),
        ("shop-web-1", {"task": "id-of-shop-web-1"}),
        ("web", {"service": "shop/web"}),
    ],
)
def test_a_stack_a_service_or_a_task_is_chosen(gbnt: Run, manager: Manager, subject: str, query: dict[str, str]):
    manager.on("GET /v1/stacks", listing(rows.stack("shop")))
    manager.on("GET /v1/services", listing(rows.service("shop/web")))
    manager.on("GET /v1/tasks/shop-web-1", Answer(rows.task("shop-web-1")))
    manager.on("GET /v1/stats", Lines(line()))
    ran = gbnt("top", subject, "-o", "json", "--node", "rome")
    assert json.loads(ran.out) == line()
    assert manager.asked[-1].query == {**query, "node": "rome"}


def test_what_is_none_of_them_is_said_to_be_no_task(gbnt: Run, manager: Manager):
    manager.on("GET /v1/stacks", listing())
    manager.on("GET /v1/services", listing())
    manager.on("GET /v1/tasks/shpo", problem(404, "not_found", 'there is no task "shpo"'))
    ran = gbnt("top", "shpo")
    assert (ran.status, ran.err) == (1, 'error: there is no task "shpo"\n')


def test_a_narrow_terminal_leaves_out_disks_and_networks_before_it_cuts_a_task(monkeypatch: pytest.MonkeyPatch):
    replicas = [task(f"bookshop-recommendations-{number}-{number}x9k2", 100.0) for number in (1, 2)]
    shown = {}
    for width in (80, 100, 200):
        monkeypatch.setattr("cli.load_report.terminal_width", lambda width=width: width)
        title, *lines = report(line(*replicas), "name")[3:]
        assert [text.split()[0] for text in lines] == [row["task"] for row in replicas]
        assert max(map(len, (title, *lines))) <= width
        shown[width] = ("NET" in title, "DISK" in title)
    assert shown == {80: (False, False), 100: (True, False), 200: (True, True)}
    monkeypatch.setattr("cli.load_report.terminal_width", lambda: 60)
    assert [text.split()[0][-7:] for text in report(line(*replicas), "name")[4:]] == ["1-1x9k2", "2-2x9k2"]


def test_names_and_templates_are_of_tasks(gbnt: Run, manager: Manager):
    manager.on("GET /v1/stats", Lines(line(task("shop-web-1"), task("shop-web-2", 9.0))))
    assert gbnt("top", "-o", "name").out == "shop-web-2\nshop-web-1\n"
    out = gbnt("top", "--sort", "name", "--format", "{{.Task}} {{.CPU}} {{.Memory}}").out
    assert out == "shop-web-1 1.0 % 7000000\nshop-web-2 9.0 % 7000000\n"


def test_on_a_terminal_each_look_is_drawn_over_the_last_and_no_longer_than_that(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LINES", "8")
    monkeypatch.setenv("COLUMNS", "200")
    screen = io.StringIO()
    many = line(*(task(f"shop-web-{number}") for number in range(1, 10)))
    refreshed([line(task("shop-web-1")), many], "name", screen)
    first, second = screen.getvalue().split("\x1b[H")[1:]
    assert first.count("\n") == 5
    assert first.endswith("\x1b[J")
    assert second.count("\n") == 7
    assert "… and 7 more" in second


def test_ctrl_c_ends_it_as_it_ends_what_is_followed(gbnt: Run, manager: Manager, monkeypatch: pytest.MonkeyPatch):
    def interrupt(*given: object) -> None:
        raise KeyboardInterrupt

    manager.on("GET /v1/stats", Lines(line()))
    monkeypatch.setattr("cli.commands.top.draws", lambda stream: True)
    monkeypatch.setattr("cli.load_report.refreshed", interrupt)
    assert gbnt("top").status == 0
