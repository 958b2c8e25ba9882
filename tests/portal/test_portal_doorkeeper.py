"""Who may come in, who may do what, and what becomes of those who guess."""

import logging

import httpx
import pytest

from actors.protocol import Accepted, GetState, UseToken
from portal.api.app import create_api
from portal.api.patience import FAILURES, MOST_REMEMBERED, Failures, network_of
from portal.credentials import Credential, is_valid, new_credential, parse
from supervisor.address import Address
from supervisor.errors import AskTimeout
from tests.portal.build import NODE, NOW, bearer, credential, state, token

pytestmark = pytest.mark.anyio

READS = [
    "/v1/cluster",
    "/v1/nodes",
    "/v1/stacks",
    "/v1/stacks/shop",
    "/v1/services",
    "/v1/services/shop/web",
    "/v1/services/shop/web/logs",
    "/v1/tasks",
    "/v1/tasks/web1",
    "/v1/tasks/web1/logs",
    "/v1/actors",
    "/v1/actors/senate",
    "/v1/events",
    "/v1/volumes",
]
WRITES = [
    ("DELETE", "/v1/stacks/shop"),
    ("POST", "/v1/stacks/shop/stop"),
    ("POST", "/v1/services/shop/web/restart"),
    ("DELETE", "/v1/services/shop/web"),
    ("DELETE", "/v1/tasks/web1"),
]
ADMIN = [
    ("GET", "/v1/tokens", None),
    ("DELETE", "/v1/tokens/viewer", None),
    ("POST", "/v1/snapshots/release-held", None),
    ("PATCH", "/v1/cluster", {"privileged": "allow"}),
]


@pytest.fixture
async def stranger(node):
    transport = httpx.ASGITransport(create_api(node.backend()))
    async with httpx.AsyncClient(transport=transport, base_url="https://gbnt") as client:
        yield client


@pytest.mark.parametrize("role", ["admin", "operator", "viewer"])
@pytest.mark.parametrize("path", READS)
async def test_every_role_may_look(stranger, role, path):
    assert (await stranger.get(path, headers=bearer(role))).status_code == 200


@pytest.mark.parametrize(("method", "path"), WRITES)
async def test_an_operator_may_change_things_and_a_viewer_may_not(stranger, node, method, path):
    denied = await stranger.request(method, path, headers=bearer("viewer"))
    assert (denied.status_code, denied.json()["code"]) == (403, "forbidden")
    assert "viewer" in denied.json()["detail"]
    assert node.commands() == []
    assert (await stranger.request(method, path, headers=bearer("operator"))).is_success


@pytest.mark.parametrize(("method", "path", "body"), ADMIN)
async def test_credentials_restores_and_settings_are_an_admin_s(stranger, node, method, path, body):
    for role in ("viewer", "operator"):
        assert (await stranger.request(method, path, headers=bearer(role), json=body)).status_code == 403
    assert node.commands() == []
    assert (await stranger.request(method, path, headers=bearer("admin"), json=body)).is_success


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer gbnt_admin_",
        "Bearer gbnt_admin_wrong",
        "Bearer gbnt_nobody_secret-of-admin",
        "Bearer xxxx_admin_secret-of-admin",
        "Basic Z2JudDphZG1pbg==",
        "Bearer " + "x" * 10_000,
    ],
)
async def test_without_a_good_token_nobody_learns_anything(stranger, node, header):
    for path in ("/v1/stacks", "/v1/nothing", "/"):
        answer = await stranger.get(path, headers={"authorization": header} if header is not None else {})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "gbnt token create" in answer.json()["detail"]


async def test_a_token_works_until_it_expires(stranger, node):
    node.state = state(tokens={"admin": token("admin", expires_at=NOW + 10)})
    assert (await stranger.get("/v1/stacks", headers=bearer("admin"))).status_code == 200
    node.now = NOW + 10
    assert (await stranger.get("/v1/stacks", headers=bearer("admin"))).status_code == 401


async def test_a_revoked_token_is_worthless_at_once(stranger, node):
    assert (await stranger.get("/v1/stacks", headers=bearer("viewer"))).status_code == 200
    node.state = state(tokens={})
    assert (await stranger.get("/v1/stacks", headers=bearer("viewer"))).status_code == 401


async def test_the_first_credential_s_first_use_is_told_once(stranger, node):
    node.state = state(tokens={"admin": token("admin", first=True), "viewer": token("viewer")})
    await stranger.get("/v1/stacks", headers=bearer("viewer"))
    await stranger.get("/v1/stacks", headers={"authorization": "Bearer gbnt_admin_wrong"})
    assert node.signed_in == 0
    await stranger.get("/v1/stacks", headers=bearer("admin"))
    await stranger.get("/v1/stacks", headers=bearer("admin"))
    assert node.signed_in == 1


async def test_actors_can_be_looked_at_while_the_senate_is_away(stranger, node):
    assert (await stranger.get("/v1/actors", headers=bearer("viewer"))).status_code == 200
    node.replies[GetState] = AskTimeout(Address(NODE, "senate"), GetState())
    assert (await stranger.get("/v1/actors", headers=bearer("viewer"))).status_code == 200


async def test_who_guesses_has_to_wait_and_who_knows_has_not(stranger, node):
    bad = {"authorization": "Bearer gbnt_admin_guess"}
    for _ in range(FAILURES):
        assert (await stranger.get("/v1/stacks", headers=bad)).status_code == 401
    denied = await stranger.get("/v1/stacks", headers=bad)
    assert (denied.status_code, denied.headers["retry-after"]) == (429, "60")
    assert "too many failed sign-ins from 127.0.0.1" in denied.json()["detail"]
    assert (await stranger.get("/v1/stacks", headers=bearer("admin"))).status_code == 200
    node.now += 61
    assert (await stranger.get("/v1/stacks", headers=bad)).status_code == 401


async def test_who_has_a_network_of_addresses_has_no_more_guesses_and_the_audit_keeps_the_whole_address(node):
    app = create_api(node.backend())

    async def guess(address):
        transport = httpx.ASGITransport(app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="https://gbnt") as client:
            return (await client.get("/v1/stacks", headers={"authorization": "Bearer gbnt_admin_guess"})).status_code

    assert [await guess(f"2001:db8:0:7::{number:x}") for number in range(FAILURES + 1)] == [401] * FAILURES + [429]
    assert await guess("2001:db8:0:8::1") == 401
    assert node.noted[1][0].caller.address == "2001:db8:0:7::1"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "::ffff:192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_failures_are_counted_by_network(address, network):
    assert network_of(address) == network


def test_the_memory_of_failures_is_bounded():
    failures = Failures()
    for number in range(MOST_REMEMBERED + 10):
        failures.count(f"a{number}", float(number) / MOST_REMEMBERED)
    assert len(failures._seen) == MOST_REMEMBERED


async def test_a_trusted_door_asks_for_nothing(node):
    transport = httpx.ASGITransport(create_api(node.backend(), trusted=True))
    async with httpx.AsyncClient(transport=transport, base_url="http://gbnt") as client:
        assert (await client.get("/v1/tokens")).status_code == 200


async def test_no_secret_is_in_a_log_or_an_error(stranger, node, caplog):
    caplog.set_level(logging.DEBUG)
    answer = await stranger.get("/v1/stacks", headers={"authorization": "Bearer gbnt_admin_s3cr3t"})
    await stranger.get("/v1/stacks", headers=bearer("admin"))
    assert "s3cr3t" not in answer.text + str(answer.headers) + caplog.text
    assert "secret-of-admin" not in caplog.text + repr(credential("admin"))


def test_a_secret_is_compared_in_constant_time_and_in_no_other_way(monkeypatch):
    compared: list[tuple[str, str]] = []

    def compare(one: str, other: str) -> bool:
        compared.append((one, other))
        return True

    monkeypatch.setattr("hmac.compare_digest", compare)
    guess, kept = Credential("x", "a guess"), token("x", hash="f" * 64)
    assert is_valid(guess, kept, NOW)
    assert compared == [(guess.hash, kept.hash)]


def test_a_new_credential_is_parsed_back_and_has_256_random_bits():
    made = new_credential()
    assert parse(made.text) == made
    assert len(made.secret) == 43
    assert new_credential().secret != made.secret
    assert is_valid(made, token("x", hash=made.hash), NOW)
    assert not is_valid(Credential(made.id, "other"), token("x", hash=made.hash), NOW)


async def test_who_reads_by_a_token_that_was_not_used_for_long_is_shown_that_it_is_now(stranger, node):
    node.state = state(tokens={"admin": token("admin", used_at=NOW - 3600)})

    def used(message: UseToken) -> Accepted:
        node.state = state(tokens={"admin": token("admin", used_at=NOW)})
        return Accepted(8)

    node.replies[UseToken] = used
    rows = (await stranger.get("/v1/tokens", headers=bearer("admin"))).json()["items"]
    assert [row["used_at"] for row in rows] == [NOW]


async def test_who_only_reads_is_shown_what_let_him_in_and_who_changes_is_shown_what_is_now(stranger, node):
    await stranger.get("/v1/stacks", headers=bearer("admin"))
    assert node.asked == [("senate", GetState())]
    node.asked.clear()
    await stranger.delete("/v1/volumes/data", headers=bearer("admin"))
    assert [message for _, message in node.asked].count(GetState()) > 1
