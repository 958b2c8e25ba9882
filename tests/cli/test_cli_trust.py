"""Real TLS and the admin socket: who is believed, and who needs no credential."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import UnixStreamServer

import pytest

from cli.context import Context
from cli.context_changes import add_context
from tests.cli.conftest import Run
from tests.cli.manager import Manager, listing
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


def test_the_owner_of_the_machine_makes_a_token_without_one(gbnt: Run, manager: Manager, home: Path):
    (home / "data" / "run").mkdir(parents=True)
    with UnixStreamServer(str(home / "data" / "run" / "admin.sock"), Door) as server:
        server.tokens = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        ran = gbnt("token", "create", "me", "--role", "admin")
        assert (ran.status, ran.out) == (0, "gbnt_4f_secret\n")
        assert server.tokens == [None]  # type: ignore[attr-defined]
        assert not manager.asked
        (home / "config").unlink()
        assert gbnt("token", "create", "me").status == 0
        server.shutdown()


# httpcore leaves a socket that was refused to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_socket_that_nobody_answers_is_said(gbnt: Run, home: Path):
    (home / "data" / "run").mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(home / "data" / "run" / "admin.sock"))
    ran = gbnt("token", "ls")
    assert ran.status == 3
    assert "no manager answers at http://this-machine" in ran.err
