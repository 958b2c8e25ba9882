"""`gbnt stack` against a manager that answers what the test says."""

import io
import json
import os
from pathlib import Path

import pytest

from cli import compose_choice
from tests.cli.conftest import Run
from tests.cli.manager import Answer, HangUp, Lines, Manager, listing, problem
from tests.cli.rows import past, stack, task, tasks_line, verdict

FILE = """\
name: shop
services:
  web:
    image: busybox
"""


@pytest.fixture
def compose_file(home: Path) -> Path:
    path = home / "compose.yaml"
    path.write_text(FILE)
    return path


def accepted(**changes: str) -> Answer:
    return Answer({"revision": 8, "changes": changes, "detail": {}})


def test_a_deploy_sends_the_spec_and_ends_when_all_runs(gbnt: Run, manager: Manager, compose_file: Path):
    manager.on("PUT /v1/stacks/shop", accepted(web="created"))
    pulling = task(state="preparing", progress={"message": "pulling 42%", "fraction": 0.42})
    manager.on(
        "GET /v1/stacks/shop/progress",
        Lines(tasks_line(pulling), tasks_line(task(state="starting")), tasks_line(task()), verdict()),
    )

    ran = gbnt("stack", "deploy", "-c", str(compose_file))

    assert (ran.status, ran.out) == (0, "")
    assert ran.err.splitlines() == [
        "shop: web created",
        "web.1  pulling 42%",
        "web.1  starting",
        "web.1  running",
        "shop runs as the file says",
    ]
    put, progress = manager.asked
    assert json.loads(put.body)["spec"]["services"]["web"]["image"] == "busybox"
    assert put.headers["Authorization"] == "Bearer gbnt_first_secret"
    assert len(put.headers["Idempotency-Key"]) == 32
    assert progress.query == {"after": "8"}


def test_a_failed_deploy_ends_with_the_reason_and_the_last_lines(gbnt: Run, manager: Manager, compose_file: Path):
    manager.on("PUT /v1/stacks/shop", accepted(web="created"))
    failed = verdict("failed", "web.1: keeps failing: exit 1", "0123456789abcdef", logs=("no such table", "bye"))
    manager.on("GET /v1/stacks/shop/progress", Lines(failed))

    ran = gbnt("stack", "deploy", "-c", str(compose_file))

    assert ran.status == 1
    assert ran.err.splitlines()[1:] == [
        "error: web.1: keeps failing: exit 1",
        "its last lines:",
        "  | no such table",
        "  | bye",
        "see `gbnt task inspect 0123456789ab`",
    ]


def test_a_detached_deploy_returns_when_the_change_is_durable(gbnt: Run, manager: Manager, compose_file: Path):
    manager.on("PUT /v1/stacks/shop", accepted(web="unchanged"))
    ran = gbnt("stack", "deploy", "-c", str(compose_file), "--detach")
    assert (ran.status, ran.err) == (0, "shop: nothing to change\n")
    assert len(manager.asked) == 1


def test_a_service_that_left_the_file_is_named_with_what_removes_it(gbnt: Run, manager: Manager, compose_file: Path):
    manager.on("PUT /v1/stacks/shop", accepted(web="unchanged", db="kept", cache="kept"))
    ran = gbnt("stack", "deploy", "-c", str(compose_file), "--detach")
    assert ran.status == 0
    assert ran.err.splitlines() == [
        "shop: cache kept, db kept, web unchanged",
        "no longer in the file, and kept: cache, db; --prune removes them",
    ]
    assert "prune" not in json.loads(manager.asked[0].body)


def test_a_prune_is_asked_of_the_manager(gbnt: Run, manager: Manager, compose_file: Path):
    manager.on("PUT /v1/stacks/shop", accepted(web="unchanged", db="removed"))
    ran = gbnt("stack", "deploy", "-c", str(compose_file), "--detach", "--prune")
    assert (ran.status, ran.err) == (0, "shop: db removed, web unchanged\n")
    assert json.loads(manager.asked[0].body)["prune"] is True


def test_relative_binds_that_are_here_are_named_and_a_warning_of_one_is_told_at_its_line(
    gbnt: Run, manager: Manager, compose_file: Path, home: Path
):
    binds = "    volumes: [./conf:/a, ~/own:/b, ./none:/c, /etc/hosts:/d]\n"
    compose_file.write_text(FILE + binds)
    (home / "conf").mkdir()
    text = "services.web.volumes[2]: /x/none is not on rome: a task of web finds it empty there"
    answer = {"revision": 8, "changes": {"web": "created"}, "detail": {}, "warnings": [text, "busybox is not pinned"]}
    manager.on("PUT /v1/stacks/shop", Answer(answer))
    ran = gbnt("stack", "deploy", "--detach")
    assert json.loads(manager.asked[0].body)["here"] == [str(home / "conf")]
    assert ran.err.splitlines() == [
        f"compose.yaml:5:36: warning: {text}",
        f"  {binds.rstrip()}",
        f"  {' ' * 35}^",
        "warning: busybox is not pinned",
        "shop: web created",
    ]


PROFILED = "  debug: {image: busybox, profiles: [debug]}\n"


@pytest.mark.parametrize(("options", "aside"), [((), None), (("--prune",), ["debug"])])
def test_what_its_profile_leaves_out_is_told_apart_from_what_left_the_file_and_spared(
    gbnt: Run, manager: Manager, compose_file: Path, options: tuple[str, ...], aside: object
):
    compose_file.write_text(FILE + PROFILED)
    manager.on("PUT /v1/stacks/shop", accepted(web="unchanged", debug="kept", old="kept"))
    ran = gbnt("stack", "deploy", "--detach", *options)
    assert ran.err.splitlines()[1:] == [
        "left out by its profile, and kept: debug; --profile takes it in",
        "no longer in the file, and kept: old; --prune removes it",
    ]
    assert json.loads(manager.asked[0].body).get("aside") == aside


def test_a_profile_that_no_file_names_is_warned_of(gbnt: Run, manager: Manager, compose_file: Path):
    compose_file.write_text(FILE + PROFILED)
    manager.on("PUT /v1/stacks/shop", accepted(web="unchanged"))
    ran = gbnt("stack", "deploy", "--detach", "--profile", "debgu")
    assert ran.err.splitlines()[0] == 'warning: no service has the profile "debgu" (did you mean "debug"?)'
    assert gbnt("stack", "deploy", "--detach", "--profile", "debgu", "--strict").status == 2
    assert "warning" not in gbnt("stack", "deploy", "--detach", "--profile", "*", "--profile", "debug").err


def test_a_deploy_whose_answer_was_lost_is_sent_again_under_the_same_key(
    gbnt: Run, manager: Manager, compose_file: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("cli.session.PAUSES", (0.0, 0.0))
    unknown = problem(503, "unknown", "the change may have been made")
    manager.on("PUT /v1/stacks/shop", HangUp(), unknown, accepted(web="created"))
    ran = gbnt("stack", "deploy", "-c", str(compose_file), "-d")
    assert ran.status == 0
    assert len({asked.headers["Idempotency-Key"] for asked in manager.asked}) == 1
    assert len(manager.asked) == 3


def test_a_deploy_is_followed_through_a_restart_of_the_manager(
    gbnt: Run, manager: Manager, compose_file: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("cli.follow.TICK", 0.0)
    manager.on("PUT /v1/stacks/shop", accepted(web="created"))
    manager.on("GET /v1/stacks/shop/progress", HangUp(), Lines(tasks_line(task()), verdict()))
    ran = gbnt("stack", "deploy", "-c", str(compose_file))
    assert ran.status == 0
    assert "shop  the manager does not answer, waiting for it" in ran.err


def test_a_deploy_waits_no_longer_than_it_was_told(gbnt: Run, manager: Manager, compose_file: Path):
    manager.on("PUT /v1/stacks/shop", accepted(web="created"))
    manager.on("GET /v1/stacks/shop/progress", Lines(tasks_line(task(state="starting")), verdict()))
    ran = gbnt("stack", "deploy", "-c", str(compose_file), "--timeout", "0")
    assert ran.status == 1
    assert ran.err.splitlines()[-1] == "error: shop is not settled after 0 s"
    assert "what was asked for goes on: `gbnt stack ps shop` shows it" in ran.err


def test_ctrl_c_leaves_the_deploy_running_and_says_so(
    gbnt: Run, manager: Manager, compose_file: Path, monkeypatch: pytest.MonkeyPatch
):
    def pressed(self: object, timeout: float | None) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.follow.Follower.verdict", pressed)
    manager.on("PUT /v1/stacks/shop", accepted(web="created"))
    ran = gbnt("stack", "deploy", "-c", str(compose_file))
    assert ran.status == 130
    assert ran.err.splitlines()[-1].startswith("no longer watching; what was asked for goes on")


def test_a_bad_file_is_answered_by_its_places_and_nothing_is_sent(gbnt: Run, manager: Manager, home: Path):
    (home / "bad.yaml").write_text("services:\n  web:\n    imag: busybox\n")
    ran = gbnt("stack", "deploy", "-c", "bad.yaml", "shop")
    assert ran.status == 2
    assert ran.err.splitlines()[0] == "error: bad.yaml cannot be deployed, and nothing was changed"
    assert ran.err.splitlines()[1].startswith("bad.yaml:3:5: error: services.web.imag: ")
    assert not manager.asked


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing.yaml", "error: cannot read missing.yaml: No such file or directory"),
        (".", "error: cannot read .: Is a directory"),
        ("pipe", "error: cannot read pipe: it is no regular file; `-c -` reads the standard input"),
        ("large.yaml", "error: cannot read large.yaml: it is larger than 4 MiB: is it the one?"),
    ],
)
def test_what_is_no_file_to_read_is_said_in_one_sentence(gbnt: Run, home: Path, name: str, said: str):
    os.mkfifo(home / "pipe")
    (home / "large.yaml").write_bytes(b"#" * (4 * 1024 * 1024 + 1))
    ran = gbnt("stack", "deploy", "-c", name)
    assert (ran.status, ran.err) == (2, said + "\n")


def test_without_a_file_one_of_the_usual_name_is_taken(gbnt: Run, compose_file: Path):
    ran = gbnt("stack", "deploy", "--dry-run")
    assert ran.err.splitlines()[0] == "the file is good: stack shop with 1 service; nothing was changed"
    compose_file.unlink()
    ran = gbnt("stack", "deploy", "--dry-run")
    assert ran.status == 2
    assert ran.err.startswith("error: there is no compose.yaml in ")


def test_the_usual_names_are_looked_for_in_compose_s_order_and_an_override_is_laid_over(gbnt: Run, home: Path):
    for name in ("docker-compose.yaml", "docker-compose.yml", "compose.yml", "compose.yaml"):
        (home / name).write_text(FILE.replace("shop", name.replace(".", "-")))
        assert f"stack {name.replace('.', '-')} with" in gbnt("stack", "deploy", "--dry-run").err
    (home / "compose.override.yaml").write_text("services: {cache: {image: busybox}}")
    ran = gbnt("stack", "deploy", "--dry-run")
    assert "with 2 services" in ran.err
    assert f"warning: {home} has {' and '.join(compose_choice.USUAL_NAMES)}: compose.yaml is read\n" in ran.err
    ran = gbnt("stack", "deploy", "-f", "compose.yml", "--dry-run")
    assert "with 1 service;" in ran.err
    assert "warning" not in ran.err


def test_a_wrong_standard_input_is_called_so(gbnt: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert gbnt("stack", "deploy", "-c", "-").err.startswith("error: the standard input cannot be deployed")


def test_stacks_are_listed_with_their_age(gbnt: Run, manager: Manager, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("time.time", lambda: 1_200.0)
    wiki = stack("wiki", status="degraded", message="db.1: exit 1", tasks_running=0, updated_at=None)
    manager.on("GET /v1/stacks", listing(stack(), wiki))
    assert gbnt("stack", "ls").out.splitlines() == [
        "NAME  STATUS    TASKS  SERVICES  CHANGED  NOTE",
        "shop  running   1/1    1         3m       -",
        "wiki  degraded  0/1    1         -        db.1: exit 1",
    ]


def test_stack_ps_shows_past_attempts_under_each_slot(gbnt: Run, manager: Manager, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("time.time", lambda: 1_060.0)
    manager.on("GET /v1/stacks/shop", Answer(stack()))
    ended = [past(1, 1, "exit 1", 900.0), past(2, 137, "out of memory", 1_050.0)]
    waiting = task(
        state="starting",
        restart_at=1_067.2,
        problem="exit 137, out of memory",
        past=ended,
        container_name="",
        since=1_050.0,
    )
    manager.on("GET /v1/tasks", listing(task("shop-web-2", health="healthy"), waiting))
    assert gbnt("stack", "ps", "shop").out.splitlines() == [
        "NAME      NODE  STATE              SINCE  CONTAINER      NOTE",
        "web.1     rome  restarting in 8 s  10s    -              exit 137, out of memory",
        "\\_ web.1  rome  exit 137           10s    shop-web-1-a2  out of memory",
        "\\_ web.1  rome  exit 1             2m     shop-web-1-a1  exit 1",
        "web.2     rome  healthy            60s    shop-web-2-a1  -",
    ]
    assert manager.asked[-1].query == {"stack": "shop", "all": "1"}


def test_rm_waits_until_the_stack_is_gone_and_names_the_volumes_it_kept(gbnt: Run, manager: Manager):
    manager.on("GET /v1/stacks/shop", Answer(stack()))
    manager.on("GET /v1/volumes", listing({"name": "shop_data", "external": False}, {"name": "nas", "external": True}))
    manager.on("DELETE /v1/stacks/shop", accepted(web="removed"))
    manager.on("GET /v1/stacks/shop/progress", Lines(verdict("removed")))
    ran = gbnt("stack", "rm", "shop")
    assert ran.status == 0
    assert ran.out == "shop is gone\nkept its volumes shop_data: the next deploy of shop finds them\n"
    assert manager.asked[2].query == {}


def test_rm_removes_volumes_only_after_naming_them(gbnt: Run, manager: Manager):
    manager.on("GET /v1/stacks/shop", Answer(stack()))
    manager.on("GET /v1/volumes", listing({"name": "shop_data", "external": False}, {"name": "nas", "external": True}))
    manager.on("DELETE /v1/stacks/shop", accepted(web="removed"))
    manager.on("GET /v1/stacks/shop/progress", Lines(verdict("removed")))

    refused = gbnt("stack", "rm", "shop", "--volumes")
    assert refused.status == 2
    assert "say --yes" in refused.err
    assert "  shop_data" in refused.err
    assert {asked.method for asked in manager.asked} == {"GET"}

    assert gbnt("stack", "rm", "shop", "--volumes", "--yes").out == "shop is gone\n"
    assert next(asked for asked in manager.asked if asked.method == "DELETE").query == {"volumes": "shop_data"}


@pytest.mark.parametrize("answer", ["y\n", "\n"])
def test_on_a_terminal_rm_asks(gbnt: Run, manager: Manager, monkeypatch: pytest.MonkeyPatch, answer: str):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", answer.strip)
    manager.on("GET /v1/stacks/shop", Answer(stack()))
    manager.on("GET /v1/volumes", listing({"name": "shop_data", "external": False}))
    manager.on("DELETE /v1/stacks/shop", accepted(web="removed"))
    ran = gbnt("stack", "rm", "shop", "--volumes", "--detach")
    sent = any(asked.method == "DELETE" for asked in manager.asked)
    assert (ran.status, sent) == ((0, True) if answer == "y\n" else (2, False))


def test_an_end_of_the_input_is_not_yes(gbnt: Run, manager: Manager, monkeypatch: pytest.MonkeyPatch):
    def ended() -> str:
        raise EOFError

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", ended)
    manager.on("GET /v1/stacks/shop", Answer(stack()))
    manager.on("GET /v1/volumes", listing({"name": "shop_data", "external": False}))
    ran = gbnt("stack", "rm", "shop", "--volumes")
    assert (ran.status, ran.err.splitlines()[-1]) == (2, "error: nothing was removed")


def test_stop_and_start_hold_the_stack(gbnt: Run, manager: Manager):
    manager.on("GET /v1/stacks/shop/progress", Lines(verdict()))
    for action, done in (("stop", "stopped"), ("start", "started")):
        manager.on(f"POST /v1/stacks/shop/{action}", accepted(web="changed"))
        assert gbnt("stack", action, "shop").out == f"shop is {done}\n"
        assert gbnt("stack", action, "shop", "--detach").out == f"shop is being {done}\n"
