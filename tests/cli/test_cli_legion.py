"""Join tokens, and a machine that joins by one."""

import json
import ssl
import stat
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from cryptography import x509

from cli.allegiance import dismissed, load
from cli.connect import connect
from cli.errors import BadInput
from cli.legion import address, token_from
from cli.options import ServeOptions
from tests.cli.conftest import Run
from tests.cli.manager import Answer, Asked, Manager, listing, problem
from transport.identity import ClusterCA
from transport.identity.certificates import node_name
from transport.identity.join_tokens import issue

MADE = {
    "id": "4f9a2c11",
    "role": "worker",
    "token": "eyJ.a.b",
    "manager": "192.0.2.1:4000",
    "uses": 10,
    "expires_at": 0.0,
    "changes": {"4f9a2c11": "issued"},
}


def made(**changed: object) -> Answer:
    return Answer({**MADE, "expires_at": time.time() + 3650, **changed}, 201)


def test_a_token_is_printed_as_the_line_to_paste(gbnt: Run, manager: Manager):
    manager.on("POST /v1/join-tokens", made())
    ran = gbnt("legion", "join-token")
    assert (ran.status, ran.out) == (0, "gbnt legion join --token eyJ.a.b --manager 192.0.2.1:4000\n")
    assert "good for 10 machines within 60m" in ran.err
    assert json.loads(manager.asked[0].body) == {"role": "worker", "ttl": 3600.0, "uses": 10, "rotate": False}


def test_a_token_s_options_reach_the_manager(gbnt: Run, manager: Manager):
    manager.on("POST /v1/join-tokens", made(role="manager", uses=1, changes={"a": "revoked", "4f9a2c11": "issued"}))
    ran = gbnt("legion", "join-token", "--role", "manager", "--ttl", "10m", "--rotate")
    assert json.loads(manager.asked[0].body) == {"role": "manager", "ttl": 600.0, "uses": 1, "rotate": True}
    assert "1 earlier token made worthless" in ran.err


def test_tokens_are_listed_and_removed(gbnt: Run, manager: Manager):
    row = {"id": "4f9a2c11", "role": "worker", "state": "good", "uses": 10, "used": 2}
    rows = [
        {**row, "created_at": time.time() - 60, "expires_at": time.time() + 3000},
        {**row, "id": "5e", "state": "revoked", "created_at": time.time() - 60, "expires_at": 1.0},
    ]
    manager.on("GET /v1/join-tokens", listing(*rows))
    manager.on("DELETE /v1/join-tokens/4f9a2c11", Answer({"revision": 8, "changes": {}}))
    lines = gbnt("legion", "join-token", "ls").out.splitlines()
    assert lines[1].split() == ["4f9a2c11", "worker", "good", "2/10", "60s", "in", "50m"]
    assert lines[2].split() == ["5e", "worker", "revoked", "2/10", "60s", "-"]
    assert json.loads(gbnt("legion", "join-token", "ls", "-o", "json").out)[1]["state"] == "revoked"
    assert gbnt("legion", "join-token", "rm", "4f9a2c11").out == "nobody joins by 4f9a2c11 from now on\n"
    assert [asked.method for asked in manager.asked] == ["GET", "GET", "DELETE"]


def test_init_may_begin_the_cluster_it_prints_the_line_of(gbnt: Run, manager: Manager, monkeypatch: pytest.MonkeyPatch):
    begun: list[ServeOptions] = []
    monkeypatch.setattr("cli.systemd.install", begun.append)
    monkeypatch.setattr("cli.commands.legion.connect_here", connect)
    manager.on("POST /v1/join-tokens", made())
    ran = gbnt("legion", "init", "--install", "--advertise-addr", "192.0.2.1", "--listen-addr", "192.0.2.2")
    assert (ran.status, ran.out) == (0, "gbnt legion join --token eyJ.a.b --manager 192.0.2.1:4000\n")
    assert [(options.advertise_addr, options.bind) for options in begun] == [("192.0.2.1", "192.0.2.2")]


def test_init_where_nothing_serves_says_what_to_start(gbnt: Run):
    ran = gbnt("legion", "init", "--advertise-addr", "192.0.2.1", "--listen-addr", "192.0.2.2")
    assert ran.status == 1
    assert "gbnt legion init --install" in ran.err
    assert "gbnt serve --advertise-addr 192.0.2.1 --bind 192.0.2.2" in ran.err


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("rome:4000", "rome", 4000),
        ("rome", "rome", 4000),
        ("192.0.2.1:5", "192.0.2.1", 5),
        ("[2001:db8::1]:5", "2001:db8::1", 5),
        ("2001:db8::1", "2001:db8::1", 4000),
        ("[::1]", "::1", 4000),
    ],
)
def test_addresses_of_managers(text: str, host: str, port: int):
    found = address(text)
    assert (found.host, found.port) == (host, port)


@pytest.mark.parametrize("text", ["", ":4000", "rome:", "rome:x", "rome:0", "rome:65536"])
def test_what_is_no_address(text: str):
    with pytest.raises(BadInput, match="HOST:4000"):
        address(text)


def test_a_token_comes_from_one_place(home: Path, monkeypatch: pytest.MonkeyPatch):
    (home / "t").write_text("secret\n")
    assert token_from("a", "", {}) == "a"
    assert token_from("", str(home / "t"), {}) == "secret"
    assert token_from("", "", {"GBNT_JOIN_TOKEN_FILE": str(home / "t")}) == "secret"
    monkeypatch.setattr("sys.stdin", StringIO("secret\n"))
    assert token_from("", "-", {}) == "secret"
    for token, file in (("a", "b"), ("", ""), ("", str(home / "nothing"))):
        with pytest.raises(BadInput):
            token_from(token, file, {})


# -- joining, over TLS -------------------------------------------------------------------------------------------------


class Cluster:
    """A manager on loopback that admits whoever comes, as node n1."""

    def __init__(self, folder: Path) -> None:
        self.ca = ClusterCA(folder, "c-1", time.time)
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(self.ca.server_certificate([node_name("c-1", "m1")], []))
        self.manager = _Joinable(tls, self.admit)
        self.manager.start()
        self.no: Answer | None = None

    @property
    def words(self) -> list[str]:
        manager = self.manager.url.removeprefix("https://")
        return ["--token", issue(self.ca, "t1", "worker", 9e9), "--manager", manager, "--skip-checks"]

    def admit(self, asked: Asked) -> Answer:
        if self.no is not None:
            return self.no
        body = json.loads(asked.body)
        managers = [{"node": "m1", "name": "rome", "address": "192.0.2.1", "port": 4003}]
        certificate = self.ca.sign(body["csr"].encode(), "n1", "worker").decode()
        told = {"cluster": "c-1", "node": "n1", "name": body["name"], "role": "worker", "managers": managers}
        return Answer({**told, "certificate": certificate})


class _Joinable(Manager):
    def __init__(self, tls: ssl.SSLContext, admit: Callable[[Asked], Answer]) -> None:
        super().__init__(tls)
        self._admit = admit

    def reply_to(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        return self._admit(asked)


@pytest.fixture
def cluster(home: Path):
    cluster = Cluster(home / "pki")
    yield cluster
    cluster.manager.stop()


def test_a_machine_that_joins_has_its_identity(gbnt: Run, cluster: Cluster, home: Path):
    ran = gbnt("legion", "join", *cluster.words, "--node-name", "gaul", "--no-serve")
    assert (ran.status, ran.out) == (0, "gaul is node n1 of the cluster c-1, as a worker\n")
    assert json.loads((home / "data" / "node.json").read_bytes()) == {"cluster": "c-1", "node": "n1", "name": "gaul"}
    legion = json.loads((home / "data" / "legion.json").read_bytes())
    assert (legion["role"], legion["managers"][0]["port"]) == ("worker", 4003)
    written = [home / "data" / name for name in ("node.json", "legion.json", "pki/node.pem")]
    assert [stat.S_IMODE(path.stat().st_mode) for path in written] == [0o600] * 3
    certificates = x509.load_pem_x509_certificates(written[2].read_bytes())
    assert certificates[1] == x509.load_pem_x509_certificate(cluster.ca.certificate)
    again = gbnt("legion", "join", *cluster.words, "--no-serve")
    assert (again.status, "is node n1 of the cluster c-1 already" in again.err) == (1, True)


def test_what_a_machine_serves_by_once_it_has_joined_names_no_token(
    gbnt: Run, cluster: Cluster, home: Path, monkeypatch: pytest.MonkeyPatch
):
    serving: list[list[str]] = []

    def serve_while(join: Callable[[], None], words: list[str]) -> None:
        serving.append(words)
        join()

    monkeypatch.setattr("cli.overlap.serve_while", serve_while)
    ran = gbnt("legion", "join", *cluster.words, "--node-name", "gaul")
    assert (ran.status, ran.out) == (0, "gaul is node n1 of the cluster c-1, as a worker\n")
    [words] = serving
    assert words[words.index("serve") :] == ["serve", "--data-dir", str(home / "data")]
    assert cluster.words[1] not in words


def test_a_machine_that_was_removed_may_join_again(gbnt: Run, cluster: Cluster, home: Path):
    assert gbnt("legion", "join", *cluster.words, "--no-serve").status == 0
    before = (home / "data" / "pki" / "node.pem").read_bytes()
    dismissed(home / "data" / "legion.json")
    assert gbnt("legion", "join", *cluster.words, "--no-serve").status == 0
    assert (home / "data" / "pki" / "node.pem").read_bytes() != before
    kept = load(home / "data" / "legion.json")
    assert kept is not None
    assert not kept.removed


def test_a_refusal_is_told_and_the_next_try_is_for_the_same_key(gbnt: Run, cluster: Cluster, home: Path):
    cluster.no = problem(403, "forbidden", "the join token has expired: make another on a manager")
    ran = gbnt("legion", "join", *cluster.words, "--no-serve")
    assert (ran.status, "the join token has expired: make another" in ran.err) == (1, True)
    assert cluster.words[1] not in ran.err
    assert not (home / "data" / "node.json").exists()
    cluster.no = None
    assert gbnt("legion", "join", *cluster.words, "--no-serve").status == 0
    first, second = (x509.load_pem_x509_csr(json.loads(asked.body)["csr"].encode()) for asked in cluster.manager.asked)
    assert first.public_key() == second.public_key()


def test_a_machine_without_systemd_is_told_so_before_it_joins(
    gbnt: Run, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("cli.systemd.RUNNING", Path("nothing"))
    ran = gbnt("legion", "join", *cluster.words, "--install")
    assert (ran.status, "not run by systemd" in ran.err) == (1, True)
    assert not cluster.manager.asked


def test_a_cluster_of_its_own_is_left_alone(gbnt: Run, cluster: Cluster, home: Path):
    (home / "data").mkdir()
    (home / "data" / "node.json").write_text('{"cluster": "a", "node": "b", "name": "c"}')
    ran = gbnt("legion", "join", *cluster.words, "--no-serve")
    assert (ran.status, "choose an empty --data-dir" in ran.err) == (1, True)
    assert not cluster.manager.asked


def test_what_is_no_token_is_told_without_it(gbnt: Run):
    ran = gbnt("legion", "join", "--token", "rubbish", "--manager", "127.0.0.1:1", "--no-serve")
    assert ran.status == 1
    assert "gbnt legion join-token" in ran.err
    assert "rubbish" not in ran.err
