"""Machines that join: over real TLS, with tokens that are good and tokens that are not."""

from __future__ import annotations

import logging
import socket
import stat
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from itertools import count

import anyio
import httpx
import pytest

from actors import repeats
from actors.mandate import Mandate
from actors.protocol import (
    Accepted,
    AdmitNode,
    CertifyNode,
    IssueJoinToken,
    LeaveNode,
    Refused,
    RevokeJoinToken,
    RotateJoinTokens,
    UseToken,
)
from cli.gate import AuthorityGate
from cluster.decide.decision import Entropy, Refusal
from cluster.model import Change, Departed, JoinToken
from portal.api.app import create_api
from portal.api.patience import FAILURES
from portal.server import serve, tls_context
from portal.sockets import listen
from tests.portal.build import NODE, bearer, task
from transport.identity import ClusterCA
from transport.identity.certificates import node_name
from transport.identity.join_tokens import TokenRefused, issue
from transport.identity.joining import Address, JoinFailed, Member, authority_of, join, leave, renew
from transport.identity.node_keys import NodeKeys
from transport.identity.proofs import TURNED_AWAY, proof

pytestmark = pytest.mark.anyio

COMMANDS = (IssueJoinToken, RotateJoinTokens, RevokeJoinToken, AdmitNode, CertifyNode, LeaveNode)


@pytest.fixture
def ca(tmp_path, node):
    return ClusterCA(tmp_path / "pki", "c-1", lambda: node.now)


@pytest.fixture
def node(node, tmp_path):
    """A node with a gate, whose Senate decides as the real one does. Its clock is the machine's: TLS goes by that."""
    node.now = time.time()
    authority = ClusterCA(tmp_path / "pki", "c-1", lambda: node.now)
    node.gate = AuthorityGate(authority, "10.0.0.1:4000", 4003, lambda: node.now)
    numbers = count(1)

    def decide(command):
        request = getattr(command, "request", "")
        if request and request in node.state.commands:
            return repeats.answer(node.state.commands[request], command)
        decision = Mandate().decide(node.state, command, Entropy(node.now, lambda: f"n{next(numbers)}"))
        if isinstance(decision, Refusal):
            return Refused(decision.code, decision.message)
        revision = node.state.revision + 1
        accepted = Accepted(revision, dict(decision.told), dict(decision.detail))
        kept = (Change("commands", request, repeats.kept(command, accepted)),) if request else ()
        node.state = node.state.after((*decision.changes, *kept), revision)
        node.happened = [*getattr(node, "happened", []), *decision.happenings]
        return accepted

    node.replies = dict.fromkeys(COMMANDS, decide)
    return node


@pytest.fixture
def keys(tmp_path):
    return NodeKeys(tmp_path / "joining", time.time)


@asynccontextmanager
async def served(node, certificate):
    sock = listen("127.0.0.1", 0)
    async with anyio.create_task_group() as group:
        group.start_soon(serve, create_api(node.backend()), sock, tls_context(certificate))
        yield Address("127.0.0.1", sock.getsockname()[1])
        group.cancel_scope.cancel()


async def in_thread(function, *arguments):
    return await anyio.to_thread.run_sync(partial(function, *arguments))


def joins(keys, token, manager, name="gaul"):
    return in_thread(join, keys, token, manager, name, "192.0.2.9", "1.0")


def csr(keys):
    return keys.request().decode()


async def token_of(api, **wanted):
    made = await api.post("/v1/join-tokens", json=wanted)
    assert made.status_code == 201, made.text
    return made.json()


# -- over TLS ----------------------------------------------------------------------------------------------------------


async def test_a_machine_joins_and_renews_over_tls(node, ca, api, keys, tmp_path):
    token = (await token_of(api))["token"]
    async with served(node, ca.server_certificate([node_name("c-1", NODE)], [])) as manager:
        admitted = await joins(keys, token, manager)
        assert (admitted.cluster, admitted.node, admitted.name, admitted.role) == ("c-1", "n1", "gaul", "worker")
        assert [(one.node, one.address, one.port) for one in admitted.managers] == [(NODE, "10.0.0.1", 4003)]
        facts = keys.take(admitted.certificate, admitted.authority)
        assert (facts.node, facts.role) == ("n1", "worker")
        assert node.state.nodes["n1"].certificate == facts.serial
        assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "joining").iterdir()} == {
            "node.pem": 0o600
        }
        renewed = await in_thread(renew, Member(keys, NODE), manager)
        assert keys.take(renewed.certificate, renewed.authority).serial != facts.serial
        node.state = replace(node.state, departed={"n1": Departed("n1", "gaul", node.now)})
        with pytest.raises(JoinFailed, match=TURNED_AWAY):
            await in_thread(renew, Member(keys, NODE), manager)


async def test_a_node_leaves_once_its_tasks_have_left_it(node, ca, api, keys):
    token = (await token_of(api))["token"]
    async with served(node, ca.server_certificate([node_name("c-1", NODE)], [])) as manager:
        admitted = await joins(keys, token, manager)
        keys.take(admitted.certificate, admitted.authority)
        node.state = replace(node.state, tasks={"t1": task(1, id="t1", node="n1")})
        told = await in_thread(partial(leave, force=False), Member(keys, NODE), manager)
        assert (told["left"], [row["task"] for row in told["leaving"]]) == (False, ["shop-web-1"])
        assert node.state.nodes["n1"].availability == "drain"
        node.state = replace(node.state, tasks={})
        for _ in range(2):  # the second time its answer was lost
            assert await in_thread(partial(leave, force=False), Member(keys, NODE), manager) == {
                "left": True,
                "leaving": [],
            }
        assert "n1" not in node.state.nodes
        with pytest.raises(JoinFailed, match=TURNED_AWAY):
            await in_thread(renew, Member(keys, NODE), manager)


async def test_by_force_a_node_leaves_with_its_tasks(node, ca, api, keys):
    token = (await token_of(api))["token"]
    async with served(node, ca.server_certificate([node_name("c-1", NODE)], [])) as manager:
        admitted = await joins(keys, token, manager)
        keys.take(admitted.certificate, admitted.authority)
        node.state = replace(node.state, tasks={"t1": task(1, id="t1", node="n1")})
        assert (await in_thread(partial(leave, force=True), Member(keys, NODE), manager))["left"]
        assert node.state.tasks == {}


async def test_nobody_makes_another_node_leave(node, ca, stranger, keys, tmp_path, caplog):
    keys.take(ca.sign(keys.request(), NODE, "manager"), ca.certificate)
    unknown = NodeKeys(tmp_path / "unknown", time.time)
    unknown.take(ca.sign(unknown.request(), "n9", "worker"), ca.certificate)
    used = proof(keys, "c-1", "leave")
    refused = await stranger.post("/v1/leave", json={}, headers=used)
    assert (refused.status_code, "is the last manager" in refused.json()["detail"]) == (409, True)
    for headers, why in (
        ({}, "no proof"),
        (used, "used before"),
        (proof(keys, "c-1", "knock"), "another purpose than leave"),
        (proof(unknown, "c-1", "leave"), "node n9 is no member"),
        (bearer("admin"), "no proof"),
    ):
        caplog.clear()
        answer = await stranger.post("/v1/leave", json={"force": True}, headers=headers)
        assert (answer.status_code, answer.json()["detail"]) == (401, TURNED_AWAY)
        assert why in caplog.text
    for _ in range(FAILURES):
        await stranger.post("/v1/leave", json={})
    assert (await stranger.post("/v1/leave", json={})).status_code == 429
    assert [message for message in node.commands() if isinstance(message, LeaveNode)] == [LeaveNode(NODE)]


async def test_an_answer_that_was_lost_is_given_again_and_used_once(node, ca, api, keys):
    token = (await token_of(api))["token"]
    async with served(node, ca.server_certificate([node_name("c-1", NODE)], [])) as manager:
        first, again = await joins(keys, token, manager), await joins(keys, token, manager, "other-name")
        assert (first.node, first.name) == (again.node, again.name)
        assert [one.used for one in node.state.join_tokens.values()] == [1]
        assert keys.take(again.certificate, again.authority).node == "n1"
        with pytest.raises(JoinFailed, match="used up, it was good for 1 machine: make another"):
            await joins(keys, token, manager)


async def test_another_cluster_gets_no_token(node, ca, api, keys, tmp_path):
    foreign = ClusterCA(tmp_path / "foreign", "c-1", time.time)
    token = (await token_of(api))["token"]
    async with served(node, foreign.server_certificate([], [])) as manager:
        asked = len(node.asked)
        with pytest.raises(JoinFailed, match="this is not the cluster that made the token"):
            await joins(keys, token, manager)
        assert len(node.asked) == asked


async def test_a_worker_cannot_pass_for_a_manager(node, ca, api, keys, tmp_path):
    """It has a certificate of the very authority, and shows the authority's own beside it."""
    worker = NodeKeys(tmp_path / "worker", time.time)
    worker.take(ca.sign(worker.request(), "w1", "worker"), ca.certificate)
    token = (await token_of(api))["token"]
    async with served(node, worker.path) as manager:
        assert await in_thread(authority_of, manager, ca.fingerprint) == ca.certificate
        with pytest.raises(JoinFailed, match="no manager of the cluster that made the token"):
            await joins(keys, token, manager)
        assert not [message for message in node.commands() if isinstance(message, AdmitNode)]


async def test_a_node_asks_its_own_manager_and_hears_of_no_token(node, ca, keys, tmp_path):
    keys.take(ca.sign(keys.request(), "n1", "worker"), ca.certificate)
    other = NodeKeys(tmp_path / "other", time.time)
    other.take(ca.sign(other.request(), "m2", "manager"), ca.certificate)
    async with served(node, other.path) as manager:
        for ask in (renew, partial(leave, force=True)):
            with pytest.raises(JoinFailed, match="is not the manager of this node") as refused:
                await in_thread(ask, Member(keys, NODE), manager)
            assert "token" not in str(refused.value)
            assert "`sudo gbnt legion leave --force`" in str(refused.value)
        assert node.commands() == []


@pytest.mark.parametrize("days", [-3, 120])
async def test_a_clock_that_is_days_wrong_is_told(node, tmp_path, keys, days):
    node.now = time.time() - days * 86_400
    ca = ClusterCA(tmp_path / "pki", "c-1", lambda: node.now)
    token = issue(ca, "t1", "worker", node.now + 60)
    async with served(node, ca.server_certificate([node_name("c-1", NODE)], [])) as manager:
        with pytest.raises(JoinFailed, match="set the clock"):
            await joins(keys, token, manager)


@pytest.mark.parametrize("minutes", [-10, 10])
async def test_a_clock_that_is_minutes_wrong_does_not_matter(node, ca, api, tmp_path, minutes):
    keys = NodeKeys(tmp_path / "joining", lambda: time.time() + minutes * 60)
    node.now = time.time()
    token = (await token_of(api))["token"]
    async with served(node, ca.server_certificate([node_name("c-1", NODE)], [])) as manager:
        admitted = await joins(keys, token, manager)
        keys.take(admitted.certificate, admitted.authority)
        node.now += minutes * 60
        assert (await in_thread(renew, Member(keys, NODE), manager)).node == admitted.node


async def test_who_is_not_reached_is_told(node, ca, keys):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = issue(ca, "t1", "worker", node.now + 60)
    with pytest.raises(JoinFailed, match=r"no manager answers at 127\.0\.0\.1"):
        await joins(keys, token, Address("127.0.0.1", port))
    with pytest.raises(TokenRefused, match="gbnt legion join-token"):
        await joins(keys, "rubbish", Address("127.0.0.1", port))


async def test_what_is_no_tls_is_told(node, ca, keys):
    sock = listen("127.0.0.1", 0)
    async with anyio.create_task_group() as group:
        group.start_soon(serve, create_api(node.backend()), sock, None)
        with pytest.raises(JoinFailed, match=r"TLS|no manager answers"):
            await joins(keys, issue(ca, "t1", "worker", 9e9), Address("127.0.0.1", sock.getsockname()[1]))
        group.cancel_scope.cancel()


# -- refusals ----------------------------------------------------------------------------------------------------------


@pytest.fixture
async def stranger(node):
    transport = httpx.ASGITransport(create_api(node.backend()), client=("192.0.2.7", 1))
    async with httpx.AsyncClient(transport=transport, base_url="https://gbnt") as client:
        yield client


def arrival(keys, token, **changed):
    return {"token": token, "csr": csr(keys), "name": "gaul", **changed}


@pytest.mark.parametrize(
    ("changed", "why"),
    [({"revoked": True}, "revoked"), ({"expires_at": 1.0}, "expired"), ({"used": 1}, "used up")],
)
async def test_a_worthless_token_is_refused_with_its_reason_in_the_log(node, ca, stranger, keys, caplog, changed, why):
    token = JoinToken("t1", "worker", node.now, node.now + 60, 1)
    node.state = replace(node.state, join_tokens={"t1": replace(token, **changed)})
    text = issue(ca, "t1", "worker", node.now + 60)
    with caplog.at_level(logging.WARNING):
        answer = await stranger.post("/v1/join", json=arrival(keys, text))
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert why in answer.json()["detail"]
    assert "refused 192.0.2.7 at /v1/join: join token t1: " in caplog.text
    assert why in caplog.text
    assert text not in caplog.text + answer.text
    assert len(node.state.nodes) == 1


async def test_a_token_of_another_authority_is_refused(node, stranger, keys, tmp_path):
    foreign = ClusterCA(tmp_path / "foreign", "c-1", time.time)
    answer = await stranger.post("/v1/join", json=arrival(keys, issue(foreign, "t1", "manager", 9e9)))
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert not node.commands()


async def test_who_guesses_has_to_wait_and_who_knows_has_not(node, api, stranger, keys):
    good = (await token_of(api))["token"]
    for _ in range(FAILURES):
        assert (await stranger.post("/v1/join", json=arrival(keys, "guess"))).status_code == 401
    denied = await stranger.post("/v1/join", json=arrival(keys, "guess"))
    assert (denied.status_code, "retry-after" in denied.headers) == (429, True)
    assert (await stranger.post("/v1/renew", json={"csr": csr(keys)})).status_code == 429
    assert (await stranger.get("/v1/stacks")).status_code == 429
    assert (await stranger.post("/v1/join", json=arrival(keys, good))).status_code == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"csr": "rubbish"},
        {"csr": "é"},
        {"name": "a b"},
        {"name": ""},
        {"address": "a b"},
        {"boss": 1},
        {"name": "x" * 64},
    ],
)
async def test_a_wrong_arrival_uses_nothing(node, api, stranger, keys, changed):
    token = (await token_of(api))["token"]
    answer = await stranger.post("/v1/join", json=arrival(keys, token, **changed))
    assert answer.status_code == 422
    assert [one.used for one in node.state.join_tokens.values()] == [0]


async def test_a_body_without_an_end_is_not_read_to_its_end(stranger):
    answer = await stranger.post("/v1/join", content=b"x" * 70_000)
    assert (answer.status_code, answer.json()["detail"]) == (413, "the body is larger than 64 KiB")


async def test_a_proof_tells_nothing_to_who_has_none(node, ca, stranger, keys, tmp_path, caplog):
    keys.take(ca.sign(keys.request(), NODE, "manager"), ca.certificate)
    unknown = NodeKeys(tmp_path / "unknown", time.time)
    unknown.take(ca.sign(unknown.request(), "n9", "worker"), ca.certificate)
    foreign = NodeKeys(tmp_path / "theirs", time.time)
    other = ClusterCA(tmp_path / "foreign", "c-1", time.time)
    foreign.take(other.sign(foreign.request(), NODE, "manager"), other.certificate)
    used = proof(keys, "c-1", "renew")
    assert (await stranger.post("/v1/renew", json={"csr": csr(keys)}, headers=used)).status_code == 200
    for headers, why in (
        ({}, "no proof"),
        (used, "used before"),
        (proof(keys, "m2", "renew"), "another audience"),
        (proof(unknown, "c-1", "renew"), "node n9 is no member"),
        (proof(foreign, "c-1", "renew"), "foreign authority"),
        (bearer("admin"), "no proof"),
    ):
        caplog.clear()
        answer = await stranger.post("/v1/renew", json={"csr": csr(keys)}, headers=headers)
        assert (answer.status_code, answer.json()["detail"]) == (401, TURNED_AWAY)
        assert why in caplog.text
        assert "eyJ" not in caplog.text


# -- tokens ------------------------------------------------------------------------------------------------------------


async def test_tokens_are_made_listed_rotated_and_revoked_without_their_texts(node, api):
    first = await token_of(api, uses=3)
    assert first["manager"] == "10.0.0.1:4000"
    second = await token_of(api, rotate=True)
    manager = await token_of(api, role="manager", ttl=60)
    assert (await api.delete(f"/v1/join-tokens/{manager['id']}")).status_code == 200
    listed = await api.get("/v1/join-tokens")
    assert {row["id"]: (row["role"], row["state"], row["uses"]) for row in listed.json()["items"]} == {
        first["id"]: ("worker", "revoked", 3),
        second["id"]: ("worker", "good", 1),
        manager["id"]: ("manager", "revoked", 1),
    }
    secret = first["token"].rpartition(".")[2]
    assert secret not in listed.text + repr(node.state) + repr(node.asked) + repr(node.happened)
    assert (await api.delete("/v1/join-tokens/nothing")).status_code == 404


async def test_a_repeat_has_no_text_to_show(api):
    headers = {"idempotency-key": "k-1"}
    assert (await api.post("/v1/join-tokens", json={}, headers=headers)).status_code == 201
    assert (await api.post("/v1/join-tokens", json={}, headers=headers)).status_code == 409


@pytest.mark.parametrize("wanted", [{"ttl": 0}, {"ttl": 1e12}, {"uses": 0}, {"role": "boss"}, {"ttl": 40 * 86_400}])
async def test_a_token_has_bounds(api, wanted):
    assert (await api.post("/v1/join-tokens", json=wanted)).status_code == 422


@pytest.mark.parametrize("role", ["operator", "viewer"])
async def test_join_tokens_are_an_admin_s(stranger, node, role):
    for method, path in (("GET", ""), ("POST", ""), ("DELETE", "/t1")):
        answer = await stranger.request(method, f"/v1/join-tokens{path}", headers=bearer(role))
        assert answer.status_code == 403
    assert not [one for one in node.commands() if not isinstance(one, UseToken)]


async def test_a_node_without_an_authority_says_so(node, api):
    node.gate = None
    transport = httpx.ASGITransport(create_api(node.backend()))
    async with httpx.AsyncClient(transport=transport, base_url="https://gbnt", headers=bearer("admin")) as client:
        assert (await client.post("/v1/join-tokens", json={})).status_code == 503
