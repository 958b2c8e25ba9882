"""Users by the API: who signs in, what ends a session, what those who guess are told, and that no secret gets out."""

from __future__ import annotations

import logging
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import anyio
import httpx
import pytest
from argon2 import PasswordHasher
from starlette.types import ASGIApp

from actors.mandate import Mandate
from actors.protocol import (
    Accepted,
    ChangePassword,
    CloseSession,
    CreateUser,
    GetState,
    OpenSession,
    Refused,
    UpdateUser,
)
from actors.stream import Stream
from cluster.audit import Caller
from cluster.decide.decision import Entropy, Refusal
from portal.api import doorkeeper, passwords
from portal.api.app import create_api
from portal.api.passwords import NOBODY, Passwords
from portal.api.patience import FAILURES
from portal.api.problems import Problem
from portal.credentials import parse
from supervisor.address import Address
from supervisor.errors import AskTimeout
from tests.portal.build import NODE, NOW, FakeNode, bearer
from tests.portal.driver import get
from tests.portal.socket_driver import talk

pytestmark = pytest.mark.anyio

PASSWORD, OTHER = "qualis artifex pereo", "correct horse battery"
VERA = {"name": "vera", "role": "operator", "password": PASSWORD}
HOUR = 3600.0


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes at the least cost that argon2 knows."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "hasher", lambda: hasher)
    monkeypatch.setattr(passwords, "NOBODY", hasher.hash("nobody's"))


@pytest.fixture
def deciding(node: FakeNode) -> FakeNode:
    """A node whose Senate decides on users by the cluster's own rules."""
    mandate, revision = Mandate(), 7

    def decide(command: object) -> object:
        nonlocal revision
        decision = mandate.decide(node.state, command, Entropy(node.now, str))
        if isinstance(decision, Refusal):
            return Refused(decision.code, decision.message)
        revision += 1
        node.state = node.state.after(decision.changes, revision)
        return Accepted(revision, dict(decision.told), dict(decision.detail))

    async def cat(stream: Stream) -> object:
        await anyio.sleep_forever()
        return None

    node.command = cat
    for kind in (CreateUser, UpdateUser, ChangePassword, OpenSession, CloseSession):
        node.replies[kind] = decide
    return node


@dataclass
class Door:
    """Clients of one API, from addresses of their own choice."""

    app: ASGIApp
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    def come(self, address: str = "10.0.0.1", token: str = "") -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=(address, 1), raise_app_exceptions=False)
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self.clients.append(httpx.AsyncClient(transport=transport, base_url="https://gbnt", headers=headers))
        return self.clients[-1]

    async def sign_in(self, password: str = PASSWORD, name: str = "vera", address: str = "10.0.0.1", **more: Any):
        body = {"username": name, "password": password, **more}
        return await self.come(address).post("/v1/sessions", json=body)

    async def as_vera(self) -> httpx.AsyncClient:
        answer = await self.sign_in()
        assert answer.status_code == 201, answer.text
        return self.come(token=answer.json()["token"])


@pytest.fixture
async def door(deciding: FakeNode) -> AsyncIterator[Door]:
    """The API of a cluster with the user vera."""
    door = Door(create_api(deciding.backend()))
    admin = door.come(token=bearer("admin")["authorization"].partition(" ")[2])
    answer = await admin.post("/v1/users", json=VERA)
    assert answer.status_code == 201, answer.text
    deciding.deeds.clear()
    yield door
    for client in door.clients:
        await client.aclose()


@pytest.fixture
def admin(door: Door) -> httpx.AsyncClient:
    return door.clients[0]


# -- users -----------------------------------------------------------------------------------------------------------


async def test_a_user_is_shown_without_anything_of_the_password(door, admin, deciding):
    await door.as_vera()
    row = {"name": "vera", "role": "operator", "disabled": False, "created_at": NOW, "changed_at": NOW, "sessions": 1}
    assert (await admin.get("/v1/users/vera")).json() == row
    listed = (await admin.get("/v1/users?filter=role=operator")).json()
    assert listed["items"] == [row]
    kept = deciding.state.users["vera"].hash
    assert kept.startswith("$argon2id$v=19$")
    assert PASSWORD not in kept


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"password": "too short"}, "12 to 1,000 characters"),
        ({"name": "vera-veronica", "password": "vera-veronica"}, "not the user's name"),
        ({"name": "root"}, "choose another"),
        ({"name": "Vera Nero"}, "lower-case letters"),
        ({"role": "emperor"}, "body is wrong at role"),
        ({"name": "vera", "password": OTHER}, "already"),
    ],
)
async def test_what_is_no_user_is_refused_in_words(door, admin, deciding, changed, said):
    answer = await admin.post("/v1/users", json={**VERA, "name": "nero", **changed})
    assert answer.status_code in (409, 422)
    assert said in answer.json()["detail"]
    assert set(deciding.state.users) == {"vera"}


async def test_who_is_not_there_is_not_found_with_who_may_be_meant(admin):
    assert 'did you mean "vera"?' in (await admin.get("/v1/users/vero")).json()["detail"]
    assert (await admin.patch("/v1/users/vero", json={"role": "viewer"})).status_code == 404


# -- signing in ------------------------------------------------------------------------------------------------------


async def test_a_session_is_a_token_with_the_user_s_name_and_role(door, deciding):
    answer = await door.sign_in()
    made = answer.json()
    assert (made["user"], made["role"], made["expires_at"]) == ("vera", "operator", NOW + 12 * HOUR)
    vera = door.come(token=made["token"])
    told = {"name": "vera", "role": "operator", "user": "vera", "token": made["id"], "expires_at": NOW + 12 * HOUR}
    assert (await vera.get("/v1/me")).json() == told
    await vera.post("/v1/services/shop/web/scale", json={"replicas": 3})
    caller = deciding.deeds[-1].deed.caller
    assert caller == Caller("vera", "operator", made["id"], "10.0.0.1", caller.request)
    assert (await vera.get("/v1/users")).status_code == 403


async def test_a_session_ends_when_it_was_told_to(door, deciding):
    token = (await door.sign_in(ttl=60.0)).json()["token"]
    deciding.now += 59
    assert (await door.come(token=token).get("/v1/me")).status_code == 200
    deciding.now += 1
    assert (await door.come(token=token).get("/v1/me")).status_code == 401


@pytest.mark.parametrize("ttl", [0, -1, 31 * 24 * HOUR])
async def test_a_session_of_no_time_or_of_too_long_is_refused(door, ttl):
    answer = await door.sign_in(ttl=float(ttl))
    assert (answer.status_code, "30 days" in answer.json()["detail"]) == (422, True)


async def test_whatever_is_wrong_is_answered_alike_at_the_same_cost(door, admin, deciding, monkeypatch):
    compared: list[str] = []
    matches = passwords._matches

    def spy(password: str, hash: str) -> bool:
        compared.append(hash)
        return matches(password, hash)

    monkeypatch.setattr(passwords, "_matches", spy)
    wrong = await door.sign_in("another password")
    unknown = await door.sign_in(name="nero")
    await admin.patch("/v1/users/vera", json={"disabled": True})
    disabled = await door.sign_in()
    assert {one.status_code for one in (wrong, unknown, disabled)} == {401}
    told = [{**one.json(), "request": ""} for one in (wrong, unknown, disabled)]
    assert told[0] == told[1] == told[2]
    cost = {hash.rpartition("$")[0].rpartition("$")[0] for hash in compared}
    assert (len(compared), len(cost)) == (3, 1)


async def test_a_password_longer_than_any_is_wrong_at_the_same_cost_and_never_brought_into_its_normal_form(monkeypatch):
    normal: list[int] = []

    def spy(password: str, hash: str) -> bool:
        normal.append(len(password))
        return True

    monkeypatch.setattr(passwords, "_matches", spy)
    desk = Passwords()
    assert await desk.is_right("e\u0301" * 500, "hash")
    assert not await desk.is_right("e\u0301" * 500 + "!", "hash")
    assert normal == [1000, 1000]


def test_nobody_s_hash_costs_what_all_others_do(monkeypatch):
    monkeypatch.undo()
    assert not passwords.hasher().check_needs_rehash(NOBODY)


async def test_a_password_that_is_changed_while_it_is_compared_opens_nothing(door, deciding, monkeypatch):
    async def meanwhile(self: Passwords, password: str, hash: str | None) -> bool:
        vera = replace(deciding.state.users["vera"], hash="another")
        deciding.state = replace(deciding.state, users={"vera": vera})
        return True

    monkeypatch.setattr(Passwords, "is_right", meanwhile)
    assert (await door.sign_in()).status_code == 401
    assert not any(token.user for token in deciding.state.tokens.values())


async def test_letters_that_are_written_otherwise_are_the_same(door, admin):
    await admin.patch("/v1/users/vera", json={"password": "schöne gärten"})
    assert (await door.sign_in("scho\u0308ne ga\u0308rten")).status_code == 201


# -- guessing --------------------------------------------------------------------------------------------------------


async def test_an_address_that_guesses_at_many_names_has_to_wait(door, deciding):
    for number in range(FAILURES):
        assert (await door.sign_in(name=f"n{number}")).status_code == 401
    denied = await door.sign_in()
    assert (denied.status_code, denied.headers["retry-after"]) == (429, "60")
    assert (await door.sign_in(address="10.0.0.2")).status_code == 201
    deciding.now += 61
    assert (await door.sign_in()).status_code == 201


@pytest.mark.parametrize("name", ["vera", "nobody"])
async def test_a_user_who_is_guessed_at_from_many_addresses_has_to_wait_there_or_not(door, name):
    for number in range(FAILURES):
        assert (await door.sign_in("a wrong guess", name, f"10.0.1.{number}")).status_code == 401
    assert (await door.sign_in(name=name, address="10.0.2.1")).status_code == 429


async def test_who_signs_in_well_never_has_to_wait(door):
    for _ in range(FAILURES + 2):
        assert (await door.sign_in()).status_code == 201


async def test_guesses_that_come_together_count_before_they_are_known_to_be_wrong(door):
    statuses: list[int] = []

    async def guess() -> None:
        statuses.append((await door.sign_in("a wrong guess")).status_code)

    async with anyio.create_task_group() as group:
        for _ in range(FAILURES + 5):
            group.start_soon(guess)
    assert (statuses.count(401), statuses.count(429)) == (FAILURES, 5)


async def test_who_comes_when_too_many_wait_already_is_told_to_come_again(monkeypatch):
    monkeypatch.setattr(passwords, "MOST_WAITING", 0)
    with pytest.raises(Problem) as refused:
        await Passwords().hash(PASSWORD)
    assert (refused.value.status, refused.value.headers) == (503, {"retry-after": "5"})


async def test_no_more_than_two_are_compared_at_a_time(monkeypatch):
    desk, gate, now, most = Passwords(), threading.Event(), list[int](), list[int]()

    def slowly(password: str, hash: str) -> bool:
        now.append(1)
        most.append(len(now))
        gate.wait(10)
        now.pop()
        return True

    monkeypatch.setattr(passwords, "_matches", slowly)
    async with anyio.create_task_group() as group:
        for _ in range(6):
            group.start_soon(desk.is_right, PASSWORD, "hash")
        await anyio.wait_all_tasks_blocked()
        gate.set()
    assert (len(most), max(most)) == (6, 2)


# -- what ends a session ---------------------------------------------------------------------------------------------


async def test_signing_out_ends_this_session_alone(door):
    one, two = await door.as_vera(), await door.as_vera()
    assert (await one.delete("/v1/sessions/current")).status_code == 200
    assert [(await client.get("/v1/me")).status_code for client in (one, two)] == [401, 200]


@pytest.mark.parametrize("change", [{"disabled": True}, {"password": OTHER}], ids=["disabled", "another password"])
async def test_a_session_ends_at_once_with_what_an_admin_does(door, admin, change):
    vera = await door.as_vera()
    assert (await admin.patch("/v1/users/vera", json=change)).status_code == 200
    assert (await vera.get("/v1/me")).status_code == 401
    assert (await door.sign_in()).status_code == 401


async def test_a_lesser_role_counts_at_once_and_a_greater_one_with_the_next_session(door, admin):
    vera = await door.as_vera()
    await admin.patch("/v1/users/vera", json={"role": "viewer"})
    assert (await vera.delete("/v1/stacks/shop")).status_code == 403
    await admin.patch("/v1/users/vera", json={"role": "admin"})
    assert (await vera.get("/v1/me")).json()["role"] == "operator"
    assert (await (await door.as_vera()).get("/v1/me")).json()["role"] == "admin"


async def test_a_user_changes_the_own_password_and_is_signed_in_here_alone(door):
    here, elsewhere = await door.as_vera(), await door.as_vera()
    answer = await here.post("/v1/me/password", json={"current": PASSWORD, "new": OTHER})
    assert answer.json()["changes"] == {"vera": "another password"}
    assert [(await client.get("/v1/me")).status_code for client in (here, elsewhere)] == [200, 401]
    assert (await door.sign_in(OTHER)).status_code == 201
    assert (await door.sign_in(PASSWORD)).status_code == 401


async def test_a_change_of_the_password_needs_the_present_one_and_a_good_new_one(door):
    vera = await door.as_vera()
    for _ in range(FAILURES):
        answer = await vera.post("/v1/me/password", json={"current": "a wrong guess", "new": OTHER})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert (await vera.post("/v1/me/password", json={"current": PASSWORD, "new": OTHER})).status_code == 429
    assert (await vera.get("/v1/me")).status_code == 200


async def test_a_new_password_that_is_none_is_refused(door):
    vera = await door.as_vera()
    answer = await vera.post("/v1/me/password", json={"current": PASSWORD, "new": "short"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert (await door.sign_in()).status_code == 201


async def test_a_change_of_the_password_may_be_sent_twice(door, deciding):
    vera = await door.as_vera()
    body, key = {"current": PASSWORD, "new": OTHER}, {"idempotency-key": "k-1"}
    assert (await vera.post("/v1/me/password", json=body, headers=key)).status_code == 200
    sent = deciding.deeds[-1].command
    deciding.state = replace(deciding.state, commands={sent.request: "kept"})
    deciding.replies[ChangePassword] = lambda command: Accepted(9, {"vera": "as the first time"})
    again = await vera.post("/v1/me/password", json=body, headers=key)
    assert again.json()["changes"] == {"vera": "as the first time"}
    assert deciding.deeds[-1].command == replace(sent, hash="", seen="")
    asked = len(deciding.deeds)
    for _ in range(FAILURES):
        other = await vera.post("/v1/me/password", json={**body, "new": "a third password"}, headers=key)
        assert (other.status_code, "another password by now" in other.json()["detail"]) == (422, True)
    last = await vera.post("/v1/me/password", json=body, headers=key)
    assert (last.status_code, len(deciding.deeds)) == (429, asked), "by repeats passwords are guessed uncounted"


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/users"), ("PATCH", "/v1/users/nero")])
async def test_a_repeat_with_another_password_is_not_answered_as_done(admin, deciding, method, path):
    nero, key = {"role": "viewer", "password": OTHER}, {"idempotency-key": "k-1"}
    if method == "POST":
        nero |= {"name": "nero"}
    else:
        await admin.post("/v1/users", json={**VERA, "name": "nero"})
    assert (await admin.request(method, path, json=nero, headers=key)).is_success
    sent = deciding.deeds[-1].command
    deciding.state = replace(deciding.state, commands={sent.request: "kept"})
    deciding.replies[type(sent)] = lambda command: Accepted(9, {"nero": "as the first time"})
    again = await admin.request(method, path, json=nero, headers=key)
    assert again.json()["changes"] == {"nero": "as the first time"}
    asked = len(deciding.deeds)
    other = await admin.request(method, path, json={**nero, "password": PASSWORD}, headers=key)
    assert (other.status_code, "another password by now" in other.json()["detail"]) == (422, True)
    assert len(deciding.deeds) == asked


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", "/v1/sessions/current", None),
        ("POST", "/v1/me/password", {"current": PASSWORD, "new": OTHER}),
    ],
)
async def test_a_token_of_its_own_has_no_session_and_no_password(door, admin, deciding, method, path, body):
    answer = await admin.request(method, path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert (await admin.get("/v1/me")).json() == {
        "name": "admin's",
        "role": "admin",
        "user": "",
        "token": "admin",
        "expires_at": 0.0,
    }


async def test_the_manager_s_root_is_nobody_in_particular(deciding):
    transport = httpx.ASGITransport(create_api(deciding.backend(), trusted=True))
    async with httpx.AsyncClient(transport=transport, base_url="http://gbnt") as client:
        told = (await client.get("/v1/me")).json()
        assert (told["name"], told["role"], told["user"]) == ("root", "admin", "")
        assert (await client.post("/v1/users", json=VERA)).status_code == 201


ENDED = "the token that this came in by is good no more, or for less"


@pytest.mark.parametrize("change", [{"disabled": True}, {"password": OTHER}, {"role": "viewer"}], ids=str)
async def test_streams_end_with_what_their_session_may(door, admin, monkeypatch, change):
    monkeypatch.setattr(doorkeeper, "LOOK_EVERY", 0.01)
    headers = {"authorization": f"Bearer {(await door.sign_in()).json()['token']}"}
    ours = {"authorization": bearer("operator")["authorization"]}
    async with (
        get(door.app, "/v1/events?follow=1", headers) as lines,
        get(door.app, "/v1/events?follow=1", ours) as others,
        talk(door.app, "/v1/tasks/shop-web-1/exec", headers) as command,
    ):
        await command.say({"command": ["cat"]})
        for stream in (lines, others):
            assert "kind" in await stream.line()
        assert (await admin.patch("/v1/users/vera", json=change)).status_code == 200
        [last] = await command.rest()
        assert last == {"error": f"{ENDED}; the command goes on by itself", "code": "unauthorized"}
        told = (await lines.rest())[-1]
        assert (told["code"], told["error"]) == (
            "unauthorized",
            f"{ENDED}; sign in, or show another one, and ask again",
        )
        assert not others.ended.is_set()


async def test_a_stream_ends_when_its_session_does_and_not_while_the_senate_is_away(door, deciding, monkeypatch):
    monkeypatch.setattr(doorkeeper, "LOOK_EVERY", 0.01)
    headers = {"authorization": f"Bearer {(await door.sign_in(ttl=60.0)).json()['token']}"}
    async with get(door.app, "/v1/events?follow=1", headers) as lines:
        await lines.line()
        away = deciding.asked.count(("senate", GetState()))
        deciding.replies[GetState] = AskTimeout(Address(NODE, "senate"), 5.0)
        while deciding.asked.count(("senate", GetState())) < away + 3:
            await anyio.sleep(0.001)
        assert not lines.ended.is_set()
        deciding.now += 60
        assert (await lines.rest())[-1]["code"] == "unauthorized"


# -- what is kept ----------------------------------------------------------------------------------------------------


async def test_the_audit_says_who_signed_in_and_who_was_guessed_at(door, deciding):
    made = (await door.sign_in()).json()
    [asked] = deciding.deeds
    caller = asked.deed.caller
    assert caller == Caller("vera", "operator", made["id"], "10.0.0.1", caller.request)
    assert caller.request
    assert (asked.deed.action, asked.deed.subject) == ("sessions.open", "vera")
    await door.sign_in("a wrong guess")
    await door.sign_in(name="my-password-by-mistake")
    told = [(deed.action, deed.subject, deed.caller.name, outcome) for deed, outcome in deciding.noted]
    assert told == [("sessions.open", "vera", "", "unauthorized"), ("sessions.open", "", "", "unauthorized")]


async def test_who_goes_on_guessing_fills_no_audit(door, deciding):
    for _ in range(FAILURES + 5):
        await door.sign_in("a wrong guess")
    assert len(deciding.noted) == FAILURES


async def test_no_password_and_no_secret_is_in_a_log_an_answer_or_what_the_senate_is_told(
    door, admin, deciding, caplog
):
    caplog.set_level(logging.DEBUG)
    answers = [
        await admin.post("/v1/users", json={**VERA, "name": "nero", "password": OTHER}),
        await admin.post("/v1/users", json={**VERA, "name": "poppaea", "password": "sh0rt"}),
        await admin.patch("/v1/users/nero", json={"password": OTHER + OTHER}),
        await admin.get("/v1/users"),
        await admin.get("/v1/tokens"),
        await door.sign_in("a wrong guess"),
    ]
    made = await door.sign_in()
    session = parse(made.json()["token"])
    assert session is not None
    told = "".join(one.text for one in answers) + caplog.text + repr(deciding.deeds) + repr(deciding.noted)
    told += repr(deciding.commands()) + repr(deciding.state.users) + (await admin.get("/v1/tokens")).text
    for hidden in (PASSWORD, OTHER, "sh0rt", "a wrong guess", session.secret, "$argon2id"):
        assert hidden not in told, hidden
