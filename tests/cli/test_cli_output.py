"""The forms of what is listed and inspected, and which rows of it: for each list that there is."""

import io
import json

import click
import pytest

from cli.colour import colours, draws
from cli.context import Context
from cli.context_changes import add_context
from cli.main import COMMANDS, load
from tests.cli.conftest import Run
from tests.cli.manager import Answer, Manager, listing
from tests.cli.rows import node, service, stack, task


@pytest.fixture
def tasks(manager: Manager) -> Manager:
    rows = [task("shop-web-1", node="gaul"), task("shop-db-1", state="failed", ports=[]), task("wiki-web-1")]
    manager.on("GET /v1/tasks", listing(*rows))
    return manager


@pytest.fixture
def nodes(manager: Manager) -> Manager:
    manager.on("GET /v1/nodes", listing(node("rome"), node("gaul", labels={"gpu": "nvidia"}, status="down")))
    manager.on("GET /v1/cluster", Answer({"alarm": ""}))
    return manager


def test_names_are_for_people_and_ids_for_other_commands(gbnt: Run, tasks: Manager):
    assert gbnt("task", "ls", "-o", "name").out == "shop-web-1\nshop-db-1\nwiki-web-1\n"
    assert gbnt("task", "ls", "-q").out == "id-of-shop-web-1\nid-of-shop-db-1\nid-of-wiki-web-1\n"


def test_the_wide_table_has_all_columns_of_the_other(gbnt: Run, tasks: Manager):
    usual, wide = (
        gbnt("task", "ls", "-o", form, "--no-trunc").out.splitlines()[0].split() for form in ("table", "wide")
    )
    assert wide[: len(usual)] == usual
    assert wide[len(usual) :] == ["ID", "ADDRESSES", "PORTS", "IMAGE"]


def test_the_wide_table_has_the_ports_that_a_task_really_has(gbnt: Run, manager: Manager):
    port = {"target": 80, "protocol": "tcp", "host_ip": "127.0.0.1", "host_port": 32_768}
    manager.on("GET /v1/tasks", listing(task(ports=[port, {**port, "host_ip": ""}])))
    ran = gbnt("task", "ls", "-o", "wide", "--no-trunc")
    assert (ran.status, ran.err) == (0, "")
    assert "127.0.0.1:32768->80/tcp, 32768->80/tcp" in ran.out


def test_a_template_is_a_line_for_each_row_or_a_table(gbnt: Run, tasks: Manager):
    assert gbnt("task", "ls", "--format", "{{.Name}}={{upper .State}}").out.splitlines()[1] == "shop-db-1=FAILED"
    assert gbnt("task", "ls", "--format", r"table {{.Name}}\t{{.Node}}").out.splitlines() == [
        "NAME        NODE",
        "shop-web-1  gaul",
        "shop-db-1   rome",
        "wiki-web-1  rome",
    ]
    assert gbnt("task", "ls", "--format", "table").out == gbnt("task", "ls").out
    assert [json.loads(line)["name"] for line in gbnt("task", "ls", "--format", "json").out.splitlines()] == [
        "shop-web-1",
        "shop-db-1",
        "wiki-web-1",
    ]
    wrong = gbnt("task", "ls", "--format", "{{.Nmae}}")
    assert (wrong.status, '(did you mean "name"?)' in wrong.err) == (2, True)


def test_a_template_that_is_none_is_refused_before_a_manager_is_asked(gbnt: Run, tasks: Manager):
    assert gbnt("task", "ls", "--format", "{{.Name").status == 2
    assert gbnt("task", "ls", "--filter", "colour=red").status == 2
    assert tasks.asked == []


@pytest.mark.parametrize(
    ("words", "two"),
    [
        ("-q -o json", "--quiet and --output"),
        ("-q --format {{.Name}}", "--quiet and --format"),
        ("-o yaml --format {{.Name}}", "--output and --format"),
    ],
)
def test_two_forms_of_one_list_are_refused(gbnt: Run, tasks: Manager, words: str, two: str):
    ran = gbnt("task", "ls", *words.split())
    assert (ran.status, f"{two} are two forms of one list: leave out one" in ran.err) == (2, True)


def test_filters_of_one_key_are_any_and_of_different_keys_all(gbnt: Run, tasks: Manager):
    def names(*filters: str) -> list[str]:
        return gbnt("task", "ls", "-o", "name", *(word for one in filters for word in ("--filter", one))).out.split()

    assert names("stack=shop") == ["shop-web-1", "shop-db-1"]
    assert names("stack=shop", "stack=wiki") == ["shop-web-1", "shop-db-1", "wiki-web-1"]
    assert names("stack=shop", "node=rome") == ["shop-db-1"]
    assert names("service=web") == ["shop-web-1", "wiki-web-1"]
    assert names("service=wiki/web") == ["wiki-web-1"]
    assert names("name=db") == names("id=id-of-shop-d") == names("state=failed") == ["shop-db-1"]


def test_nothing_as_the_filters_say_is_not_nothing_at_all(gbnt: Run, tasks: Manager):
    ran = gbnt("task", "ls", "--filter", "node=iberia")
    assert (ran.status, ran.out, ran.err) == (0, "", "none of them is as the filters say\n")
    wrong = gbnt("task", "ls", "--filter", "state=runing")
    assert (wrong.status, 'state is never "runing" (did you mean "running"?)' in wrong.err) == (2, True)


def test_one_thing_is_printed_in_the_same_forms_as_a_list(gbnt: Run, manager: Manager):
    manager.on("GET /v1/services/shop/web", Answer({**service(), "spec": {"image": "busybox"}}))
    assert gbnt("service", "inspect", "shop/web", "--format", "{{.Spec.Image}} {{.Replicas}}").out == "busybox 1\n"
    assert gbnt("service", "inspect", "shop/web", "-o", "name").out == "shop/web\n"
    assert json.loads(gbnt("service", "inspect", "shop/web", "-o", "json").out)["spec"] == {"image": "busybox"}
    assert "image: busybox\n" in gbnt("service", "inspect", "shop/web").out


def test_what_has_no_name_says_so(gbnt: Run, manager: Manager):
    manager.on("GET /v1/stacks/shop", Answer(stack()))
    manager.on("GET /v1/stacks/shop/revisions/1/sources", Answer({"files": [], "variables": {}}))
    ran = gbnt("stack", "sources", "shop", "--revision", "1", "-o", "name")
    assert (ran.status, "has no name: choose another form" in ran.err) == (2, True)


def test_machines_are_chosen_by_label_and_status(gbnt: Run, nodes: Manager):
    assert gbnt("node", "ls", "-q", "-f", "label=gpu").out == "id-of-gaul\n"
    assert gbnt("node", "ls", "-q", "-f", "label=gpu=nvidia", "-f", "status=down").out == "id-of-gaul\n"
    assert gbnt("node", "ls", "-o", "name", "-f", "status=ready").out == "rome\n"


def test_contexts_are_a_list_like_others(gbnt: Run, home):
    add_context(Context("gaul", "https://192.0.2.7:4000", "", "gbnt_4f_x"), home / "config")
    add_context(Context("rome", "https://192.0.2.1:4000", "", ""), home / "config")
    assert gbnt("config", "get-contexts", "-o", "name").out == "gaul\nrome\n"
    assert gbnt("config", "get-contexts", "--format", "{{.Name}} {{.TokenId}}", "-f", "name=gaul").out == "gaul 4f\n"


LISTS = ("ls", "ps", "services", "history", "get-contexts")
APPS = {name: load(name) for name in COMMANDS if name != "version"}
FOUND = sorted(
    (f"{name} {word}", command)
    for name, app in APPS.items()
    for word, command in getattr(app, "commands", {}).items()
    if word in LISTS
)


@pytest.mark.parametrize("command", [command for _, command in FOUND], ids=[name for name, _ in FOUND])
def test_every_list_has_the_same_options(command: click.Command):
    options = {name for param in command.params for name in param.opts}
    assert {"--output", "--format", "--filter", "--quiet", "--no-trunc"} <= options


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "is_drawn", "is_coloured"),
    [
        ({"TERM": "xterm"}, True, True),
        ({}, True, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, True, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True, True),
        ({"TERM": "dumb"}, False, False),
    ],
)
def test_colours_are_for_terminals_that_have_them_and_people_who_want_them(
    environment: dict[str, str], is_drawn: bool, is_coloured: bool
):
    assert (draws(Terminal(), environment), colours(Terminal(), environment)) == (is_drawn, is_coloured)
    assert (draws(io.StringIO(), environment), colours(io.StringIO(), environment)) == (False, False)


def test_what_has_neither_id_nor_name_is_called_by_what_it_has(gbnt: Run, manager: Manager):
    event = {"revision": 7, "number": 1, "at": 0, "kind": "service", "subject": "shop/web", "message": "scaled"}
    manager.on("GET /v1/events", listing(event, {**event, "revision": 8, "kind": "task"}))
    assert gbnt("events", "-q").out == gbnt("events", "-o", "name").out == "7\n8\n"
    assert gbnt("events", "--filter", "kind=task", "--format", "{{.Subject}}: {{.Message}}").out == "shop/web: scaled\n"
