"""A known node whose state is gone leaves its containers alone, however often its start is cut short."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import pytest

from cli.home import Home
from cli.recovery import take_over
from cluster.decide.nodes import HOLD
from store import entities
from store.contract import Applied, Outcome, Statement, Unavailable
from store.schema import Table
from store.sqlite import SqliteStore

pytestmark = pytest.mark.anyio


class Killed(BaseException):
    """gbnt ends here."""


@asynccontextmanager
async def opened(path: Path, fault: Callable[[str], None] | None = None) -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(path, threaded=False, fault=fault)
    try:
        yield store
    finally:
        await store.close()


async def start(home: Path, fault: Callable[[str], None] | None = None) -> bool:
    """A start, up to its Senate's claim; whether it holds what it does not know."""
    numbers = count()
    place = Home(home)
    identity = place.identity("rome", lambda: f"id{next(numbers)}")
    async with opened(place.store, fault) as store:
        await take_over(store, place, identity)
        await store.claim_epoch(identity.node)
        return HOLD in {row["key"] for row in await store.read(entities.every(Table.SETTINGS))}


def lose_the_store(home: Path) -> None:
    for file in (home / "store").iterdir():
        file.unlink()


async def test_a_first_start_holds_nothing_and_neither_does_the_next(home: Path):
    assert not await start(home)
    assert not await start(home)


async def test_a_lost_store_is_told_and_its_containers_are_held(home: Path, caplog: pytest.LogCaptureFixture):
    await start(home)
    lose_the_store(home)
    assert await start(home)
    assert "its containers are left as they are; restore a snapshot" in caplog.text
    caplog.clear()
    assert await start(home), "until a person confirms"
    assert not caplog.text


@pytest.mark.parametrize("point", ["before-begin", "before-commit", "after-commit"])
async def test_a_start_that_is_cut_short_does_not_make_the_next_one_forget_the_loss(home: Path, point: str):
    await start(home)
    lose_the_store(home)

    def kill(passed: str) -> None:
        if passed == point:
            raise Killed

    with pytest.raises(Killed):
        await start(home, kill)
    assert await start(home)


async def test_a_start_that_made_no_more_than_the_file_does_not_make_the_next_one_forget_the_loss(home: Path):
    await start(home)
    lose_the_store(home)
    async with opened(home / "store" / "gbnt.db"):
        pass
    assert await start(home)


async def test_a_first_start_that_was_cut_short_has_lost_nothing(home: Path, monkeypatch: pytest.MonkeyPatch):
    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Home, "keep", die)
        with pytest.raises(Killed):
            await start(home)
    assert not await start(home)


@pytest.mark.parametrize("outcome", [Outcome.UNAVAILABLE, Outcome.UNKNOWN, Outcome.REJECTED])
async def test_a_start_that_cannot_note_the_loss_is_refused(
    home: Path, outcome: Outcome, monkeypatch: pytest.MonkeyPatch
):
    async def fail(self: SqliteStore, statements: Sequence[Statement], *, rid: str, epoch: int) -> Applied:
        return Applied(outcome, "no space is left: free some")

    await start(home)
    lose_the_store(home)
    with monkeypatch.context() as patched:
        patched.setattr(SqliteStore, "apply", fail)
        with pytest.raises(Unavailable, match="could not be noted: no space is left"):
            await start(home)
    assert await start(home)
