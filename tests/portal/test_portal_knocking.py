"""A manager that is asked to knock: at whose door, at which port, and for whom."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx
import pytest

from cli.gate import AuthorityGate
from cluster.model import JoinToken, Node
from portal.api import knocking
from portal.api.app import create_api
from portal.api.patience import FAILURES
from tests.portal.build import bearer
from transport.identity import ClusterCA
from transport.identity.join_tokens import issue
from transport.identity.node_keys import NodeKeys
from transport.identity.proofs import TURNED_AWAY, proof

pytestmark = pytest.mark.anyio


@pytest.fixture
def ca(tmp_path, node):
    node.now = time.time()
    return ClusterCA(tmp_path / "pki", "c-1", lambda: node.now)


@pytest.fixture
def token(node, ca):
    """A join token that somebody could join by."""
    node.state = replace(node.state, join_tokens={"t1": JoinToken("t1", "worker", node.now, node.now + 60, 1)})
    return issue(ca, "t1", "worker", node.now + 60)


@contextmanager
def door() -> Iterator[socket.socket]:
    """A port of loopback that is listened on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        sock.setblocking(False)
        yield sock


def client(node, ca, port, address="127.0.0.1", **options):
    node.gate = AuthorityGate(ca, "10.0.0.1:4000", port, lambda: node.now)
    transport = httpx.ASGITransport(create_api(node.backend(), **options), client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="https://gbnt")


def was_met(sock):
    try:
        sock.accept()[0].close()
    except BlockingIOError:
        return False
    return True


async def test_it_knocks_where_the_question_came_from_and_uses_no_token(node, ca, token):
    with door() as sock:
        port = sock.getsockname()[1]
        async with client(node, ca, port) as api:
            answer = await api.post("/v1/knock", json={"token": token, "name": "gaul"})
        assert answer.json() == {
            "address": "127.0.0.1",
            "port": port,
            "reached": True,
            "reason": "",
            "name_taken": False,
        }
        assert was_met(sock)
    assert [one.used for one in node.state.join_tokens.values()] == [0]
    assert not node.commands()


async def test_nobody_behind_a_door_is_told(node, ca, token):
    with door() as sock:
        port = sock.getsockname()[1]
    async with client(node, ca, port) as api:
        answer = await api.post("/v1/knock", json={"token": token})
    assert (answer.json()["reached"], answer.json()["reason"]) == (False, "connection refused")


async def test_who_does_not_answer_is_not_waited_for(node, ca, token, monkeypatch):
    monkeypatch.setattr(knocking, "KNOCK_SECONDS", 0.01)
    async with client(node, ca, 4003, "192.0.2.7") as api:  # RFC 5737's: nobody is there
        answer = await api.post("/v1/knock", json={"token": token})
    assert not answer.json()["reached"]
    assert answer.json()["reason"]


async def test_a_node_asks_by_its_proof_and_its_own_name_is_not_taken(node, ca, token, tmp_path):
    keys = NodeKeys(tmp_path / "keys", time.time)
    facts = keys.take(ca.sign(keys.request(), "n1", "worker"), ca.certificate)
    gaul = Node("n1", "gaul", "worker", "ready", "", "192.0.2.7", node.now, certificate=facts.serial)
    node.state = replace(node.state, nodes={**node.state.nodes, "n1": gaul})
    with door() as sock:
        async with client(node, ca, sock.getsockname()[1]) as api:
            mine = await api.post("/v1/knock", json={"name": "gaul"}, headers=proof(keys, "c-1", "knock"))
            theirs = await api.post("/v1/knock", json={"name": "gaul", "token": token})
    assert (mine.status_code, mine.json()["name_taken"]) == (200, False)
    assert theirs.json()["name_taken"]


@pytest.mark.parametrize(
    ("changed", "why"),
    [({"revoked": True}, "revoked"), ({"expires_at": 1.0}, "expired"), ({"used": 1}, "used up")],
)
async def test_a_worthless_token_opens_nothing(node, ca, token, caplog, changed, why):
    known = node.state.join_tokens["t1"]
    node.state = replace(node.state, join_tokens={"t1": replace(known, **changed)})
    with door() as sock, caplog.at_level(logging.WARNING):
        async with client(node, ca, sock.getsockname()[1]) as api:
            answer = await api.post("/v1/knock", json={"token": token})
        assert (answer.status_code, why in answer.json()["detail"]) == (401, True)
        assert not was_met(sock)
    assert "refused 127.0.0.1 at /v1/knock: join token t1: the join token " in caplog.text
    assert why in caplog.text
    assert token not in caplog.text


async def test_strangers_are_told_nothing_and_have_to_wait(node, ca, tmp_path):
    foreign = ClusterCA(tmp_path / "foreign", "c-1", time.time)
    with door() as sock:
        async with client(node, ca, sock.getsockname()[1]) as api:
            assert (await api.post("/v1/knock", json={})).json()["detail"] == TURNED_AWAY
            assert (await api.post("/v1/knock", json={}, headers=bearer("admin"))).status_code == 401
            guess = {"token": issue(foreign, "t1", "manager", 9e9)}
            codes = [(await api.post("/v1/knock", json=guess)).status_code for _ in range(FAILURES)]
        assert codes == [401] * (FAILURES - 2) + [429] * 2
        assert not was_met(sock)


async def test_nobody_knocks_often(node, ca, token):
    with door() as sock:
        async with client(node, ca, sock.getsockname()[1]) as api:
            codes = [(await api.post("/v1/knock", json={"token": token})).status_code for _ in range(FAILURES)]
            again = await api.post("/v1/knock", json={"token": token})
        assert codes == [200] * FAILURES
        assert (again.status_code, "retry-after" in again.headers) == (429, True)


async def test_who_wants_the_date_alone_fails_at_nothing(node, ca, token):
    with door() as sock:
        async with client(node, ca, sock.getsockname()[1]) as api:
            codes = [(await api.head("/v1/knock")).status_code for _ in range(FAILURES + 1)]
            assert (await api.post("/v1/knock", json={"token": token})).status_code == 200
    assert codes == [405] * (FAILURES + 1)


@pytest.mark.parametrize("field", [{"address": "192.0.2.9"}, {"port": 22}])
async def test_it_is_nobody_s_to_say_where(node, ca, token, field):
    async with client(node, ca, 4003) as api:
        assert (await api.post("/v1/knock", json={"token": token, **field})).status_code == 422


async def test_a_node_without_an_authority_sends_on(node, ca, token):
    async with client(node, ca, 4003) as api:
        node.gate = None
        transport = httpx.ASGITransport(create_api(node.backend()), client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="https://gbnt") as bare:
            assert (await bare.post("/v1/knock", json={"token": token})).status_code == 503
        assert api is not None
