"""What there is besides stacks: nodes, actors, events, tokens, snapshots, health."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.manager import Answer, HangUp, Lines, Manager, listing, problem
from tests.cli.rows import node, stack


def test_a_list_for_other_commands_is_what_each_is_called_by(gbnt: Run, manager: Manager):
    manager.on("GET /v1/nodes", listing(node("rome"), node("gaul")))
    manager.on("GET /v1/cluster", Answer({"alarm": ""}))
    manager.on("GET /v1/stacks", listing(stack("shop"), stack("wiki")), listing())
    manager.on("GET /v1/actors", listing(actor("rome/senate")))
    assert gbnt("node", "ls", "-q").out == "id-of-rome\nid-of-gaul\n"
    assert gbnt("stack", "ls", "--quiet").out == "shop\nwiki\n"
    assert gbnt("actor", "ls", "-q").out == "rome/senate\n"
    nothing = gbnt("stack", "ls", "-q")
    assert (nothing.status, nothing.out, nothing.err) == (0, "", "")
    both = gbnt("stack", "ls", "-q", "-o", "json")
    assert (both.status, "--quiet and --output are two forms of one list: leave out one" in both.err) == (2, True)


def actor(address: str, **fields: object) -> dict[str, object]:
    row: dict[str, object] = {
        "address": address,
        "kind": "Actor",
        "state": "running",
        "incarnation": 1,
        "mailbox": 0,
        "capacity": 1000,
        "processed": 5,
        "restarts": 0,
        "last_failure": None,
        "last_failure_at": None,
        "started_at": 900.0,
        "children": [],
        "detail": {},
    }
    return row | fields


TREE = [
    actor("rome"),
    actor("rome/senate", mailbox=2),
    actor("rome/services"),
    actor("rome/services/shop"),
    actor("rome/services/shop/web", restarts=1, last_failure="EngineGone: no answer", last_failure_at=940.0),
    actor("rome/services/wiki", state="restarting"),
    actor("rome/portal"),
]


def test_the_tree_of_actors_is_drawn_with_restarts_and_failures(
    gbnt: Run, manager: Manager, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("time.time", lambda: 1_000.0)
    manager.on("GET /v1/actors", listing(*TREE))
    assert gbnt("actor", "tree").out.splitlines() == [
        "rome",
        "├─ senate  (2 messages waiting)",
        "├─ services",
        "│  ├─ shop",
        "│  │  └─ web  (1 restart, last failure 60s ago: EngineGone: no answer)",
        "│  └─ wiki  (restarting)",
        "└─ portal",
    ]


def test_actors_are_listed_and_inspected(gbnt: Run, manager: Manager):
    manager.on("GET /v1/actors", listing(*TREE))
    manager.on("GET /v1/actors/services/shop/web", Answer(TREE[4]))
    assert gbnt("actor", "ls").out.splitlines()[2].split()[:4] == ["rome/senate", "Actor", "running", "2/1000"]
    assert json.loads(gbnt("actor", "inspect", "services/shop/web", "-o", "json").out) == TREE[4]


def test_no_events_after_a_revision_is_not_no_events(gbnt: Run, manager: Manager):
    manager.on("GET /v1/events", listing())
    assert gbnt("events").err == "nothing has happened yet\n"
    assert gbnt("events", "--after", "9").err == "nothing has happened after revision 9\n"


def event(revision: int, message: str = "scaled to 3") -> dict[str, object]:
    return {"revision": revision, "number": 0, "at": 0, "kind": "service", "subject": "shop/web", "message": message}


def test_events_are_listed_and_followed(gbnt: Run, manager: Manager):
    manager.on("GET /v1/events", listing(event(1)), Lines(event(1), event(2, "a\x1b[2J")), Lines(event(3)))
    assert gbnt("events", "-n", "5").out.splitlines()[1] == "1         -     service  shop/web  scaled to 3"
    assert gbnt("events", "-f").out.splitlines() == [
        "-  service  shop/web  scaled to 3",
        "-  service  shop/web  a\\x1b[2J",
    ]
    assert json.loads(gbnt("events", "-f", "--after", "2", "-o", "json").out) == event(3)
    assert [asked.query for asked in manager.asked] == [
        {"limit": "5"},
        {"limit": "100", "follow": "1"},
        {"after": "2", "limit": "100", "follow": "1"},
    ]


class Late:
    """A clock that finds every look at it to be beyond all patience."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1_000.0
        return self.now


def test_a_manager_that_restarts_twice_on_a_quiet_cluster_ends_no_follower(
    gbnt: Run, manager: Manager, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr("cli.event_stream.time.monotonic", Late())
    away = {"error": "the manager stops", "code": "unavailable"}
    manager.on("GET /v1/events", Lines(event(1), away), Lines(away), Lines(away), Lines(event(3)))
    ran = gbnt("events", "-f", "-q")
    assert (ran.status, ran.out) == (0, "1\n3\n")
    assert ran.err == "the manager stops; the events are read on when it is back\n" * 3


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_manager_that_is_back_and_not_ready_ends_no_follower(
    gbnt: Run, manager: Manager, monkeypatch: pytest.MonkeyPatch, status: int
):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    away = {"error": "the manager stops", "code": "unavailable"}
    busy = problem(status, "unavailable", "the manager does not answer: try again in a moment")
    manager.on("GET /v1/events", Lines(event(1), away), busy, Lines(event(3)))
    ran = gbnt("events", "-f", "-q")
    assert (ran.status, ran.out) == (0, "1\n3\n")


def test_a_manager_that_is_not_ready_at_first_is_told_at_once(gbnt: Run, manager: Manager):
    manager.on("GET /v1/events", problem(503, "unavailable", "the manager does not answer"))
    assert (gbnt("events", "-f").status, gbnt("events").status, len(manager.asked)) == (3, 3, 2)


def test_a_manager_that_stays_away_is_waited_for_no_longer_than_patience(
    gbnt: Run, manager: Manager, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr("cli.event_stream.time.monotonic", Late())
    manager.on("GET /v1/events", Lines(event(1)), HangUp())
    manager.on("GET /v1/events", HangUp())
    assert gbnt("events", "-f").status == 0
    assert gbnt("events", "-f").status == 3


def test_events_are_chosen_before_they_are_counted(gbnt: Run, manager: Manager, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("cli.event_stream.PAGE", 3)
    wanted = [event(revision, "x") for revision in (1, 2, 5, 7)]
    manager.on("GET /v1/events", listing(wanted[0], wanted[1], event(3)))
    assert gbnt("events", "-n", "1", "--filter", "message=x", "-q").out == "2\n"
    manager.on("GET /v1/events", listing(wanted[0], event(3), event(4)), listing(wanted[2], event(6), wanted[3]))
    gbnt("events")
    ran = gbnt("events", "--after", "1", "-n", "2", "--filter", "message=x", "-q")
    assert ran.out == "1\n5\n"
    assert [asked.query.get("after") for asked in manager.asked] == [None, None, "1", "4.0"]


def test_the_audit_is_chosen_before_it_is_counted(gbnt: Run, manager: Manager, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("cli.commands.audit.PAGE", 2)
    rows = [{"number": number, "role": role} for number, role in ((9, "viewer"), (8, "admin"), (7, "admin"))]
    manager.on("GET /v1/audit", listing(*rows[:2]), listing(rows[2]))
    assert gbnt("audit", "-n", "2", "--filter", "role=admin", "-q").out == "7\n8\n"
    assert [asked.query.get("before") for asked in manager.asked] == [None, "8"]


def test_followed_events_take_a_template_and_no_yaml(gbnt: Run, manager: Manager):
    manager.on("GET /v1/events", Lines(event(1)))
    assert gbnt("events", "-f", "--format", "{{.Time}} {{.Kind}}").out == "- service\n"
    ran = gbnt("events", "-f", "-o", "yaml")
    assert (ran.status, "YAML is one document" in ran.err) == (2, True)


def test_an_empty_name_is_asked_of_nobody(gbnt: Run, manager: Manager):
    for words in (("network", "inspect", ""), ("network", "inspect", ".."), ("node", "inspect", "")):
        assert gbnt(*words).status == 2
    assert not manager.asked


def test_events_are_read_on_where_they_were_when_the_manager_is_back(gbnt: Run, manager: Manager, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    away = {"error": "the manager stops", "code": "unavailable"}
    manager.on("GET /v1/events", Lines(event(1), event(2), away), Lines(away), Lines(event(3)))
    ran = gbnt("events", "-f", "-o", "json")
    assert [json.loads(line)["revision"] for line in ran.out.splitlines()] == [1, 2, 3]
    assert ran.err == "the manager stops; the events are read on when it is back\n" * 2
    assert [asked.query.get("after") for asked in manager.asked] == [None, "2.0", "2.0"]


def test_tokens_are_made_listed_and_revoked(gbnt: Run, manager: Manager, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("time.time", lambda: 1_000.0)
    kept = {
        "id": "4f",
        "name": "ci",
        "role": "operator",
        "user": "",
        "created_at": 400,
        "expires_at": 8_200,
        "used_at": 0,
    }
    manager.on("POST /v1/tokens", Answer({**kept, "token": "gbnt_4f_secret"}, 201))
    manager.on("GET /v1/tokens", listing(kept, {**kept, "id": "5a", "user": "vera", "expires_at": 0, "used_at": 990}))
    manager.on("DELETE /v1/tokens/4f", Answer({"revision": 9, "changes": {}}))

    made = gbnt("token", "create", "ci", "--ttl", "2h")
    assert (made.out, made.err) == ("gbnt_4f_secret\n", "keep it now: it is not shown again\n")
    assert json.loads(manager.asked[0].body) == {"name": "ci", "role": "operator", "ttl": 7_200.0}
    assert gbnt("token", "ls").out.splitlines() == [
        "ID  NAME  ROLE      USER  CREATED  EXPIRES  LAST USED",
        "4f  ci    operator  -     10m      in 2h    -",
        "5a  ci    operator  vera  10m      never    10s",
    ]
    assert gbnt("token", "rm", "4f").out == "4f is worthless from now on\n"


def test_snapshots_are_made_listed_and_confirmed(gbnt: Run, manager: Manager):
    kept = {"name": "gbnt-1", "size": 40_960, "revision": 7, "created_at": 0}
    manager.on("POST /v1/snapshots", Answer(kept, 201))
    manager.on("GET /v1/snapshots", Answer({"items": [kept]}))
    manager.on("POST /v1/snapshots/release-held", Answer({"revision": 9, "changes": {}}))
    assert gbnt("snapshot", "create").out == "gbnt-1\n"
    assert gbnt("snapshot", "ls").out.splitlines()[1] == "gbnt-1  7         41 kB  -"
    assert gbnt("snapshot", "confirm").status == 0


def test_a_snapshot_that_is_not_there_cannot_be_restored(gbnt: Run, home: Path):
    ran = gbnt("snapshot", "restore", "gbnt-1")
    assert ran.status == 1
    assert ran.err.startswith(f"error: there is no snapshot {home}/data/snapshots/gbnt-1.db: ")


def test_of_snapshots_that_begin_alike_one_has_to_be_said(gbnt: Run, home: Path):
    (home / "data" / "snapshots").mkdir(parents=True)
    for name in ("gbnt-1a", "gbnt-1b", "gbnt-20"):
        (home / "data" / "snapshots" / f"{name}.db").write_text("no store")
    ran = gbnt("snapshot", "restore", "gbnt-1")
    assert (ran.status, ran.err) == (
        2,
        "error: 2 snapshots begin with gbnt-1: say which one of gbnt-1a, gbnt-1b\n",
    )
    for said, meant in (("gbnt-1b", "gbnt-1b"), ("gbnt-2", "gbnt-20")):
        assert f"{home}/data/snapshots/{meant}.db" in gbnt("snapshot", "restore", said).err


WELL = {"senate": {"ok": True, "detail": "answers"}, "engine": {"ok": True, "detail": "20.10"}}


@pytest.mark.parametrize("more", [[], ["--host", "127.0.0.1"]])
def test_health_by_its_exit_status(gbnt: Run, manager: Manager, monkeypatch: pytest.MonkeyPatch, more: list[str]):
    monkeypatch.setenv("GBNT_TELEMETRY_PORT", str(manager.server_address[1]))
    ill = {**WELL, "engine": {"ok": False, "detail": "does not answer"}}
    manager.on(
        "GET /ready", Answer({"status": "ok", "checks": WELL}), Answer({"status": "degraded", "checks": ill}, 503)
    )
    ran = gbnt("health", *more)
    assert (ran.status, ran.out.splitlines()) == (
        0,
        ["ok", "PART    STATE  DETAIL", "senate  ok     answers", "engine  ok     20.10"],
    )
    ran = gbnt("health", *more)
    assert (ran.status, ran.out.splitlines()[-1]) == (1, "engine  NOT OK  does not answer")
    assert ran.err == "error: 127.0.0.1 is degraded\n"
    manager.stop()
    assert gbnt("health", *more).status == 3


@pytest.mark.parametrize("more", [[], ["-o", "json"]])
def test_health_of_a_port_that_is_none(gbnt: Run, monkeypatch: pytest.MonkeyPatch, more: list[str]):
    monkeypatch.setenv("GBNT_TELEMETRY_PORT", "4002/tcp")
    ran = gbnt("health", *more)
    assert ran.status == 2
    assert "GBNT_TELEMETRY_PORT" in ran.err
