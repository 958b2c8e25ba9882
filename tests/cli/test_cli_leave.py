"""A machine that leaves its cluster: in order, and by force."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.home import Home
from cli.wipe import Wiped
from portal.sockets import listen_unix
from tests.cli.conftest import Run
from tests.cli.manager import Answer, Asked, problem
from tests.cli.rows import Row, leaving
from tests.cli.test_cli_legion import Cluster

AWAY = Wiped(("web-1", "web-2"), ("shop_default",), ("shop_data",))


class Left(Cluster):
    """A cluster that lets nodes leave: the answers in order, the last one again and again."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.answers: list[Answer] = [Answer({"left": True, "leaving": []})]
        self.asked: list[Row] = []

    def admit(self, asked: Asked) -> Answer:
        if asked.path != "/v1/leave":
            admitted = super().admit(asked)
            admitted.body["managers"][0]["address"] = "127.0.0.1"
            return admitted
        assert asked.headers["authorization"].startswith("Gbnt-Proof ")
        self.asked.append(json.loads(asked.body))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def cluster(home: Path) -> Iterator[Left]:
    cluster = Left(home / "pki")
    yield cluster
    cluster.manager.stop()


@pytest.fixture
def wiped(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The clusters that were taken from this machine's engine."""
    clusters: list[str] = []

    def wipe(cluster: str) -> Wiped:
        clusters.append(cluster)
        return AWAY

    monkeypatch.setattr("cli.wipe.wipe_engine", wipe)
    monkeypatch.setattr("cli.emptying.TICK", 0.0)
    return clusters


@pytest.fixture
def joined(gbnt: Run, cluster: Left, home: Path) -> Home:
    assert gbnt("legion", "join", *cluster.words, "--node-name", "gaul", "--no-serve").status == 0
    return Home(home / "data")


def test_a_node_leaves_once_it_is_empty_and_nothing_of_it_is_left(
    gbnt: Run, cluster: Left, joined: Home, wiped: list[str]
):
    cluster.answers[:0] = [
        Answer({"left": False, "leaving": [leaving()]}),
        problem(503, "unavailable", "the manager does not answer"),
        Answer({"left": False, "leaving": []}),
    ]
    ran = gbnt("legion", "leave")
    assert (ran.status, ran.out.splitlines()) == (
        0,
        [
            "gaul is no node of the cluster c-1 any more",
            "removed 2 containers and 1 network",
            "kept the volumes shop_data: `docker volume rm` removes them for good",
            "nothing else of the cluster is left here: this machine may join again",
        ],
    )
    assert ran.err.splitlines() == [
        "shop-web-1  running: waits for its turn",
        "...  the manager does not answer, waiting for it",
        "shop-web-1  left",
    ]
    assert cluster.asked == [{"force": False}] * 4
    assert (wiped, joined.path.exists()) == (["c-1"], False)
    assert gbnt("legion", "join", *cluster.words, "--no-serve").status == 0


def test_a_wait_ends_by_its_deadline_and_the_machine_is_a_node_still(
    gbnt: Run, cluster: Left, joined: Home, wiped: list[str]
):
    cluster.answers = [Answer({"left": False, "leaving": [leaving()]})]
    ran = gbnt("legion", "leave", "--timeout", "0s")
    assert (ran.status, cluster.asked) == (1, [{"force": False}])
    assert "gaul is a node still: `gbnt legion leave` goes on" in ran.err
    assert ran.err.endswith("error: not all tasks have left after 0 s\n")
    assert (wiped, joined.legion.exists()) == ([], True)
    both = gbnt("legion", "leave", "--timeout", "9", "--force")
    assert (both.status, "--force waits for nothing" in both.err, len(cluster.asked)) == (2, True, 1)


def test_a_refusal_changes_nothing_here_and_names_the_way_out(gbnt: Run, cluster: Left, joined: Home, wiped: list[str]):
    cluster.answers = [problem(409, "conflict", "node gaul is a manager: demote it first")]
    ran = gbnt("legion", "leave")
    assert ran.status == 1
    assert "demote it first; `gbnt legion leave --force` waits for nothing" in ran.err
    assert (wiped, joined.legion.exists()) == ([], True)


def test_a_gbnt_that_goes_on_keeps_the_machine_from_being_cleared(
    gbnt: Run, cluster: Left, joined: Home, wiped: list[str]
):
    with listen_unix(joined.admin_socket):
        by_force = gbnt("legion", "leave", "--force")
        assert (by_force.status, "stop it first, and run this again" in by_force.err) == (1, True)
        assert cluster.asked == []
        ran = gbnt("legion", "leave")
    assert (ran.status, "stop it, and run `gbnt legion leave` again" in ran.err) == (1, True)
    assert (wiped, joined.legion.exists()) == ([], True)
    assert gbnt("legion", "leave").status == 0
    assert (wiped, joined.path.exists()) == (["c-1"], False)


def test_by_force_what_is_here_goes_first_and_then_a_manager_is_told(
    gbnt: Run, cluster: Left, joined: Home, wiped: list[str]
):
    ran = gbnt("legion", "leave", "--force")
    assert (ran.status, ran.err) == (0, "")
    assert (cluster.asked, wiped, joined.path.exists()) == ([{"force": True}], ["c-1"], False)


def test_by_force_a_node_leaves_though_no_manager_answers(gbnt: Run, cluster: Left, joined: Home, wiped: list[str]):
    cluster.manager.stop()
    ran = gbnt("legion", "leave", "--force")
    assert (ran.status, wiped, joined.path.exists()) == (0, ["c-1"], False)
    assert "no manager was told (no manager answers at " in ran.err
    assert "`gbnt node rm gaul --force` on it takes this node out of the cluster's state" in ran.err


def test_where_the_keys_are_gone_only_force_leaves(gbnt: Run, joined: Home, wiped: list[str]):
    (joined.keys / "node.pem").write_text("rubbish")
    ran = gbnt("legion", "leave")
    assert (ran.status, "waits for nothing" in ran.err, wiped) == (1, True, [])
    assert gbnt("legion", "leave", "--force").status == 0
    assert not joined.path.exists()


def test_a_machine_that_was_removed_asks_nobody(gbnt: Run, cluster: Left, joined: Home, wiped: list[str]):
    sworn = json.loads(joined.legion.read_bytes())
    joined.legion.write_text(json.dumps({**sworn, "removed": True}))
    assert gbnt("legion", "leave").status == 0
    assert (cluster.asked, wiped) == ([], ["c-1"])


def test_what_was_broken_off_near_its_end_is_ended(gbnt: Run, cluster: Left, joined: Home, wiped: list[str]):
    joined.identity_file.unlink()
    assert gbnt("legion", "leave").status == 0
    assert (cluster.asked, wiped, joined.path.exists()) == ([], [], False)


def test_the_last_manager_is_told_of_reset_and_who_is_no_node_so(gbnt: Run, home: Path, wiped: list[str]):
    ran = gbnt("legion", "leave")
    assert (ran.status, "is no node's" in ran.err, (home / "data").exists()) == (1, True, False)
    Home(home / "data").identity_file.write_text("{}")
    ran = gbnt("legion", "leave", "--force")
    assert (ran.status, "is its last manager" in ran.err, "`gbnt reset`" in ran.err) == (1, True, True)
    assert wiped == []
