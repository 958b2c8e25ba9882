"""The credential that a person brings, start after start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from actors import protocol
from cli.context import config_path, contexts
from cli.credential import FirstCredential
from cli.home import Home
from cli.options import ServeOptions
from cluster.model import Token
from portal.credentials import Credential, is_valid, new_credential
from tests.actors.house import House, Life, house_at, time_of_day
from tests.sim.scheduling import virtual_backend
from transport.identity import ClusterCA

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return virtual_backend(request.param)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return house_at(tmp_path)


async def ensured(life: Life, data: Path, brought: Credential | None = None) -> dict[str, Token]:
    """The tokens after a start with this credential in its environment."""
    await life.state()
    home = Home(data)
    options = ServeOptions(data, api_token=brought.text if brought else "")
    authority = ClusterCA(home.keys, "legion", time_of_day)
    await FirstCredential(options, home, life.system, authority).ensure("rome")
    return dict((await life.state()).tokens)


async def audited(life: Life) -> list[tuple[str, str, str, str]]:
    """What the audit has, oldest first."""
    answer = await life.ask(protocol.GetAudit())
    assert isinstance(answer, protocol.Audit)
    told = [(one.deed.caller.name, one.deed.action, one.deed.subject, one.outcome) for one in answer.records]
    return told[::-1]


async def test_admins_that_a_start_makes_are_in_the_audit(house: House, home: Path):
    brought = new_credential()
    async with house.life() as life:
        (first,) = await ensured(life, home / "data")
        await ensured(life, home / "data", brought)
        await life.order(protocol.RevokeToken(brought.id))
        await ensured(life, home / "data", brought)
        assert await audited(life) == [
            ("root", "credentials.first", first, "done"),
            ("root", "credentials.bring", brought.id, "done"),
            ("root", "credentials.bring", brought.id, "conflict"),
        ]


def context_tokens() -> list[str]:
    return [context.token for context in contexts(config_path())[0]]


async def test_a_brought_credential_is_in_the_context_of_whoever_started_gbnt(house: House, home: Path):
    brought = new_credential()
    async with house.life() as life:
        assert set(await ensured(life, home / "data", brought)) == {brought.id}
    assert context_tokens() == [brought.text]


async def test_a_brought_credential_that_was_revoked_stays_so_and_is_told(
    house: House, home: Path, caplog: pytest.LogCaptureFixture
):
    brought = new_credential()
    async with house.life() as life:
        await ensured(life, home / "data", brought)
        await life.order(protocol.RevokeToken(brought.id))
    (home / "config").unlink()
    async with house.life() as life:
        assert await ensured(life, home / "data", brought) == {}
    assert [(record.levelname, record.getMessage()) for record in caplog.records if record.name == "gbnt"] == [
        (
            "WARNING",
            f"GBNT_API_TOKEN is not taken: the token {brought.id} was revoked, and stays so: bring one with another id",
        )
    ]
    assert context_tokens() == []


async def test_another_secret_for_a_brought_id_takes_the_place_of_the_one_before(
    house: House, home: Path, caplog: pytest.LogCaptureFixture
):
    before = new_credential()
    after = Credential(before.id, new_credential().secret)
    async with house.life() as life:
        await ensured(life, home / "data", before)
    async with house.life() as life:
        token = (await ensured(life, home / "data", after))[before.id]
        assert (is_valid(before, token, 0.0), is_valid(after, token, 0.0)) == (False, True)
        told = caplog.text
        assert f"another secret for the token {before.id}" in told
        assert after.secret not in told
        caplog.clear()
        revision = (await life.state()).revision
        await ensured(life, home / "data", after)
        assert (await life.state()).revision == revision
    assert context_tokens() == [after.text]
    assert not caplog.text


async def test_a_first_credential_that_was_revoked_before_its_use_does_not_come_back(house: House, home: Path):
    async with house.life() as life:
        (first,) = await ensured(life, home / "data")
        await life.order(protocol.CreateToken("mine", "mine", "admin", "hash"))
        await life.order(protocol.RevokeToken(first))
    async with house.life() as life:
        assert set(await ensured(life, home / "data")) == {"mine"}
    assert not (home / "data" / "first-credentials").exists()
