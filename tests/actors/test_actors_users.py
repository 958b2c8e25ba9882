"""Users by the Senate: kept over a crash, answered once, and with nothing of a password in what others are told."""

from __future__ import annotations

import pytest

from actors import protocol
from actors.protocol import Asked, ChangePassword, CloseSession, CreateUser, OpenSession, RemoveUser, UpdateUser
from cluster.audit import Caller, Deed
from tests.actors.house import House

pytestmark = pytest.mark.anyio

DEED = Deed(Caller("root", "admin"), "users.create")


async def test_a_user_and_a_session_outlive_a_crash(house: House):
    async with house.life() as life:
        await life.order(CreateUser("vera", "operator", "hash-1"))
        await life.order(OpenSession("s1", "vera", "secret-1", "hash-1", 9e9))
        life.kill()
    async with house.life() as life:
        state = await life.state()
        assert (state.users["vera"].hash, state.users["vera"].role) == ("hash-1", "operator")
        assert (state.tokens["s1"].user, state.tokens["s1"].role) == ("vera", "operator")


async def test_another_password_ends_sessions_and_the_old_one_opens_none(house: House):
    async with house.life() as life:
        await life.order(CreateUser("vera", "operator", "hash-1"))
        for id in ("s1", "s2"):
            await life.order(OpenSession(id, "vera", f"secret of {id}", "hash-1", 9e9))
        await life.order(ChangePassword("vera", "hash-2", "hash-1", keep="s2"))
        assert set((await life.state()).tokens) == {"s2"}
        late = await life.ask(OpenSession("s3", "vera", "secret of s3", "hash-1", 9e9))
        assert isinstance(late, protocol.Refused)
        await life.order(CloseSession("s2"))
        await life.order(OpenSession("s4", "vera", "secret of s4", "hash-2", 9e9))
        await life.order(RemoveUser("vera"))
        state = await life.state()
        assert (dict(state.tokens), dict(state.users)) == ({}, {})


async def test_a_repeat_is_answered_as_before_though_each_try_has_another_salt(house: House):
    async with house.life() as life:
        first = await life.order(CreateUser("vera", "viewer", "salt-1", request="r1"))
        assert await life.order(CreateUser("vera", "viewer", "salt-2", request="r1")) == first
        first = await life.order(UpdateUser("vera", hash="salt-3", request="r2"))
        assert await life.order(UpdateUser("vera", hash="salt-4", request="r2")) == first
        assert (await life.state()).users["vera"].hash == "salt-3"
        other = await life.ask(UpdateUser("vera", role="admin", request="r2"))
        assert isinstance(other, protocol.Refused)


async def test_no_hash_is_in_events_in_the_audit_or_in_what_is_kept_of_commands(house: House):
    async with house.life() as life:
        await life.order(Asked(CreateUser("vera", "viewer", "hash-1", request="r1"), DEED))
        await life.order(Asked(UpdateUser("vera", hash="hash-2", request="r2"), DEED))
        await life.order(Asked(OpenSession("s1", "vera", "secret-1", "hash-2", 9e9), DEED))
        events = await life.ask(protocol.GetEvents(0, 100))
        audit = await life.ask(protocol.GetAudit())
        told = f"{events!r} {audit!r} {(await life.state()).commands!r}"
        assert "user.created" in told
        assert not any(secret in told for secret in ("hash-1", "hash-2", "secret-1"))
