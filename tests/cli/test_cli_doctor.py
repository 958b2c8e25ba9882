"""`gbnt doctor` as a command, before a manager on loopback; and a join that it stops."""

from __future__ import annotations

import json
import ssl
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli import allegiance
from cli.allegiance import Allegiance
from cli.doctor.finding import Unseen
from cli.doctor.probes.manager import ahead, manager
from cli.doctor.setting import setting
from cli.errors import BadInput, CliError
from tests.cli.conftest import Run
from tests.cli.manager import Answer, Asked, Manager, problem
from transport.identity import ClusterCA
from transport.identity.certificates import node_name
from transport.identity.join_tokens import issue
from transport.identity.joining import Address
from transport.identity.joining import Manager as JoinManager
from transport.identity.node_keys import NodeKeys

KNOCKED = {"address": "192.0.2.7", "reached": False, "reason": "no answer within 3 s", "name_taken": True}


class Rome:
    """A manager on loopback with an authority; its links' port is that of its API, so both are reached."""

    def __init__(self, folder: Path) -> None:
        self.ca = ClusterCA(folder, "c-1", time.time)
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(self.ca.server_certificate([node_name("c-1", "m1")], []))
        self.stub = Manager(tls)
        self.stub.on("HEAD /v1/knock", problem(405, "invalid", "no"))
        self.stub.on("POST /v1/knock", Answer({**KNOCKED, "port": self.address.port}))
        self.stub.start()

    @property
    def address(self) -> Address:
        return Address("127.0.0.1", self.stub.server_address[1])

    def knock(self) -> Asked:
        """The question to knock that it got."""
        return next(asked for asked in self.stub.asked if asked.method == "POST")

    def token(self, role: str = "worker") -> str:
        return issue(self.ca, "t1", "manager" if role == "manager" else "worker", 9e9)


@pytest.fixture
def rome(home: Path) -> Iterator[Rome]:
    one = Rome(home / "pki")
    yield one
    one.stub.stop()


@pytest.mark.parametrize("wrong", [0.0, 90.0, -86_400.0])
def test_the_clock_is_told_by_the_date_of_a_refusal_whatever_it_is(rome: Rome, wrong: float):
    rome.stub.ahead = -wrong
    found = ahead(rome.address)
    assert isinstance(found, float)
    assert abs(found - wrong) < 5
    assert [(asked.method, asked.headers.get("Authorization")) for asked in rome.stub.asked] == [("HEAD", None)]


def test_a_manager_that_gives_no_date_is_not_seen(rome: Rome, manager: Manager):
    assert isinstance(ahead(Address("127.0.0.1", manager.server_address[1])), Unseen)  # it speaks no TLS


def test_the_way_back_is_asked_by_a_token(rome: Rome):
    token = rome.token()
    seen = manager(rome.address, rome.address.port, token, "gaul")
    assert not isinstance(seen.back, Unseen)
    assert (seen.back.target, seen.back.reached, seen.back.heard) == (f"192.0.2.7:{rome.address.port}", False, None)
    assert [reach.failure for reach in seen.reaches] == ["", ""]
    assert json.loads(rome.knock().body) == {"token": token, "name": "gaul"}


def test_another_cluster_gets_no_token(rome: Rome, tmp_path: Path):
    foreign = ClusterCA(tmp_path / "foreign", "c-1", time.time)
    seen = manager(rome.address, 1, issue(foreign, "t1", "worker", 9e9), "gaul")
    assert isinstance(seen.back, Unseen)
    assert "not the cluster that made the token" in seen.back.why
    assert [asked.method for asked in rome.stub.asked] == ["HEAD"]


def test_a_node_asks_by_its_own_key(rome: Rome, home: Path):
    keys = NodeKeys(home / "data" / "pki", time.time)
    keys.take(rome.ca.sign(keys.request(), "n1", "worker"), rome.ca.certificate)
    links = rome.address.port
    managers = (JoinManager("m1", "rome", "127.0.0.1", links),)
    allegiance.save(home / "data" / "legion.json", Allegiance("worker", rome.address, managers))
    found = setting(home / "data")
    assert (found.manager, found.role, found.manager_links) == (rome.address, "worker", links)
    seen = manager(rome.address, 1, found.credential, "gaul")
    assert not isinstance(seen.back, Unseen)
    assert rome.knock().headers["authorization"].startswith("Gbnt-Proof ")


def test_what_a_data_directory_tells(home: Path):
    found = setting(home / "data")
    assert (found.manager, found.role, isinstance(found.credential, Unseen)) == (None, "", True)
    assert not (home / "data").exists()  # who only looks makes nothing
    (home / "data" / "store").mkdir(parents=True)
    (home / "data" / "store" / "gbnt.db").write_bytes(b"")
    assert setting(home / "data").role == "manager"


def test_what_a_person_says_is_checked(home: Path):
    with pytest.raises(BadInput, match="HOST:4000"):
        setting(home, "rome:x")
    with pytest.raises(CliError, match="gbnt legion join-token"):
        setting(home, "rome", "rubbish")


# -- the commands ------------------------------------------------------------------------------------------------------


def test_doctor_lists_and_ends_by_what_it_found(gbnt: Run, rome: Rome, home: Path):
    token = rome.token("manager")
    (home / "t").write_text(token)
    ran = gbnt("doctor", "--manager", str(rome.address), "--token-file", str(home / "t"), "-o", "json")
    rows = {row["check"]: row for row in json.loads(ran.out)}
    assert ran.status == 1
    assert rows["back from 127.0.0.1"] == {
        "check": "back from 127.0.0.1",
        "result": "problem",
        "found": f"cannot connect to 192.0.2.7:{rome.address.port}: no answer within 3 s",
        "fix": f"let {rome.address.port}/tcp in to this machine",
    }
    assert (rows["host name"]["result"], rows["clock"]["result"]) == ("warning", "ok")
    told = gbnt("doctor", "--manager", str(rome.address), "--token-file", str(home / "t"))
    assert told.out.splitlines()[0].split() == ["RESULT", "CHECK", "FOUND"]
    assert f"    fix: let {rome.address.port}/tcp in to this machine" in told.out.splitlines()
    assert "problem" in told.err
    assert token not in ran.out + ran.err + told.out + told.err


def test_a_join_is_stopped_by_a_problem_and_nothing_is_used(gbnt: Run, rome: Rome, home: Path):
    ran = gbnt("legion", "join", "--token", rome.token("manager"), "--manager", str(rome.address), "--no-serve")
    assert ran.status == 1
    assert "cannot connect to 192.0.2.7:" in ran.err
    assert ran.err.endswith("and did not join: mend that, or add --skip-checks\n")
    assert "POST /v1/join" not in [f"{asked.method} {asked.path}" for asked in rome.stub.asked]
    assert not (home / "data" / "node.json").exists()
    assert stat.S_IMODE((home / "data").stat().st_mode) == 0o700
