"""Real TLS and the admin socket: who is believed, and who needs no credential."""

import io
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import UnixStreamServer

import pytest

from cli.certificates import of_the_api
from cli.context import Context
from cli.context_changes import add_context
from cli.errors import Unreachable
from cli.home import NodeIdentity
from cli.http import httpx
from cli.session import Session
from cli.trust import trust
from tests.cli.conftest import Run
from tests.cli.manager import Answer, Manager, listing
from tests.cli.rows import stack
from transport.identity import ClusterCA


def authority(folder: Path) -> ClusterCA:
    return ClusterCA(folder, "rome", time.time)


@pytest.fixture
def secured(home: Path) -> Iterator[Manager]:
    """A manager whose certificate is of a cluster's own authority, and the context that pins that one."""
    ca = authority(home / "pki")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(ca.server_certificate(["localhost"], ["127.0.0.1"]))
    manager = Manager(tls)
    manager.start()
    add_context(Context("rome", manager.url, ca.certificate.decode(), "gbnt_1_secret"), home / "config")
    manager.on("GET /v1/stacks", listing(stack()))
    yield manager
    manager.stop()


def test_the_clusters_own_authority_is_believed(gbnt: Run, secured: Manager):
    assert gbnt("stack", "ls").status == 0


def test_another_authority_is_not_and_gets_no_token(gbnt: Run, secured: Manager, home: Path):
    other = authority(home / "other").certificate.decode()
    add_context(Context("rome", secured.url, other, "gbnt_1_secret"), home / "config")
    ran = gbnt("stack", "ls")
    assert ran.status == 3
    assert "showed a certificate that this context's CA did not sign" in ran.err
    assert not secured.asked


@pytest.mark.parametrize("words", ["stack ls", "exec shop-web-1 true", "login -u vera --password-stdin"])
@pytest.mark.parametrize("server", ["http://192.0.2.1:4000", "http://rome.example", "ftp://127.0.0.1", "rome:4000", ""])
def test_no_token_and_no_password_goes_where_everybody_reads_it(
    gbnt: Run, home: Path, monkeypatch: pytest.MonkeyPatch, words: str, server: str
):
    def connect(*where: object, **how: object) -> None:
        raise AssertionError(f"it was connected to {where}")

    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setattr("sys.stdin", io.StringIO("qualis artifex pereo"))
    add_context(Context("rome", server, "", "gbnt_1_secret"), home / "config")
    ran = gbnt(*words.split())
    assert (ran.status, "go by https:// alone" in ran.err) == (2, True), ran.err


@pytest.mark.parametrize("name", ["rome", "gate.example", "a.wild.example", "192.0.2.9", "192.0.2.1", "127.0.0.1"])
def test_the_api_is_dialled_by_each_name_that_it_was_given(home: Path, name: str):
    ca = authority(home / "pki")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    names = "gate.example,*.wild.example,192.0.2.9"
    tls.load_cert_chain(of_the_api(ca, NodeIdentity("n-1", "c-1", "rome"), "192.0.2.1", names))
    manager = Manager(tls)
    manager.start()
    ours = trust(Context("rome", manager.url, ca.certificate.decode(), ""))
    with (
        socket.create_connection(("127.0.0.1", manager.server_address[1])) as plain,
        ours.wrap_socket(plain, server_hostname=name) as sock,
    ):
        assert sock.version() == "TLSv1.3"
    manager.stop()


class Door(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.server.tokens.append(self.headers.get("Authorization"))  # type: ignore[attr-defined]
        body = b'{"token": "gbnt_4f_secret"}'
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "here"

    def log_message(self, format: str, *args: object) -> None:
        """Tests print nothing."""


@pytest.fixture
def door(home: Path) -> Iterator[list[str | None]]:
    """The admin socket of this machine's manager; the list has the credential of each request that came by it."""
    (home / "data" / "run").mkdir(parents=True)
    with UnixStreamServer(str(home / "data" / "run" / "admin.sock"), Door) as server:
        server.tokens = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.tokens  # type: ignore[attr-defined]
        server.shutdown()


def test_the_owner_of_the_machine_makes_a_token_without_one(
    gbnt: Run, manager: Manager, home: Path, door: list[str | None]
):
    ours = authority(home / "data" / "pki").certificate.decode()
    add_context(Context("rome", manager.url, ours, "gbnt_1_secret"), home / "config")
    ran = gbnt("token", "create", "me", "--role", "admin")
    assert (ran.status, ran.out, door) == (0, "gbnt_4f_secret\n", [None])
    (home / "config").unlink()
    assert gbnt("token", "create", "me").status == 0
    assert (door, manager.asked) == ([None, None], [])


def test_another_cluster_that_is_current_is_asked_and_not_this_machine_s(
    gbnt: Run, manager: Manager, home: Path, door: list[str | None], monkeypatch: pytest.MonkeyPatch
):
    manager.on("POST /v1/tokens", Answer({"id": "9", "token": "gbnt_9_far"}, 201))
    authority(home / "data" / "pki")
    assert gbnt("token", "create", "me").out == "gbnt_9_far\n"
    (home / "config").unlink()
    ours = authority(home / "data" / "pki").certificate.decode()
    add_context(Context("rome", manager.url, ours, "gbnt_1_secret"), home / "config")
    assert gbnt("token", "create", "me", "--context", "rome").out == "gbnt_9_far\n"
    monkeypatch.setenv("GBNT_API_TOKEN", "gbnt_2_mine")
    assert gbnt("token", "create", "me").out == "gbnt_9_far\n"
    assert [asked.headers["Authorization"].split("_")[1] for asked in manager.asked] == ["first", "1", "2"]
    assert door == []


@pytest.mark.parametrize("token", ["gbnt_1_geheim\r\nX: y", "gbnt_1_geheim\n", "gbnt_1_geh\u00e9im", "gbnt_1 geheim"])
@pytest.mark.parametrize("words", ["stack ls", "exec shop-web-1 -- sh", "logs shop/web -f", "logout"])
def test_a_token_that_cannot_be_sent_is_refused_and_never_repeated(
    gbnt: Run, manager: Manager, home: Path, monkeypatch: pytest.MonkeyPatch, token: str, words: str
):
    add_context(Context("rome", manager.url, "", token), home / "config")
    if words != "logout":
        monkeypatch.setenv("GBNT_API_TOKEN", token)
    ran = gbnt(*words.split())
    assert (ran.status, "GBNT_API_TOKEN" in ran.err, "geh" in ran.err) == (2, True, False)
    assert not manager.asked


def test_a_request_that_is_no_http_was_not_sent_and_is_not_repeated(manager: Manager):
    http = httpx.Client(base_url=manager.url, headers={"X-Secret": "geheim\n"})
    with pytest.raises(Unreachable, match="nothing was sent") as caught:
        Session(http).get("/v1/stacks")
    assert (caught.value.sent, "geheim" in str(caught.value)) == (False, False)


@pytest.mark.filterwarnings("ignore:unclosed <socket")  # httpcore forgets one that does not connect
def test_a_socket_that_nobody_answers_is_said(gbnt: Run, home: Path):
    (home / "data" / "run").mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(home / "data" / "run" / "admin.sock"))
    ran = gbnt("token", "ls")
    assert ran.status == 3
    assert "no manager answers at http://this-machine" in ran.err
