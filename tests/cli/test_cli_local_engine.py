"""What this node's engine says of images and registries, for the doors."""

from __future__ import annotations

import pytest

from cli.local_engine import LocalEngine
from cluster.registries import Credential
from engine.fake import FakeEngine, FakeImage
from engine.port import EngineUnavailable, RegistryUnreachable
from portal.backend import EngineFailed

pytestmark = pytest.mark.anyio

NERO = Credential("nero", "qualis-artifex")


@pytest.fixture
def engine() -> FakeEngine:
    engine = FakeEngine()
    engine.images["web:1"] = FakeImage()
    engine.images["hub.example/web:1"] = FakeImage()
    engine.registry.accounts["hub.example"] = NERO
    return engine


async def test_a_tag_is_what_its_registry_says(engine: FakeEngine):
    found = await LocalEngine(engine, "rome").digest("web:1", None)
    assert (found.digest, found.problem) == (await engine.digest("web:1"), "")


async def test_what_was_made_here_and_is_of_no_registry_is_asked_of_none(engine: FakeEngine):
    engine.images["web:1"] = FakeImage(local=True)
    found = await LocalEngine(engine, "rome").digest("web:1", None)
    assert found.problem == "it is rome's own: pulled from no registry and pushed to none"
    assert engine.calls["digest"] == 0


@pytest.mark.parametrize(
    ("credential", "said"),
    [
        (None, "or it needs a sign-in, by `gbnt registry login hub.example`"),
        (Credential("nero", "wrong"), "denies image hub.example/web:1 to nero: see that nero may have it"),
    ],
)
async def test_who_is_denied_is_told_what_to_do(engine: FakeEngine, credential: Credential | None, said: str):
    found = await LocalEngine(engine, "rome").digest("hub.example/web:1", credential)
    assert found.digest == ""
    assert said in found.problem
    assert "wrong" not in found.problem


@pytest.mark.parametrize("error", [RegistryUnreachable("it is not reached"), EngineUnavailable("it does not answer")])
async def test_what_is_not_known_is_a_problem_and_no_failure(engine: FakeEngine, error: Exception):
    engine.refuse("digest", error)  # type: ignore[arg-type]
    assert (await LocalEngine(engine, "rome").digest("web:1", None)).problem == str(error)


async def test_a_sign_in_that_is_not_taken_is_told_and_kept_by_nobody(engine: FakeEngine):
    local = LocalEngine(engine, "rome")
    await local.sign_in("hub.example", NERO)
    with pytest.raises(EngineFailed, match="by this password; nothing is kept"):
        await local.sign_in("hub.example", Credential("nero", "wrong"))
