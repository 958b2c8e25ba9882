"""A watch that is cut off again and again, at any moment, misses no event and hears none twice."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from random import Random

import anyio
import pytest
from starlette.applications import Starlette

from actors import protocol, senate
from actors.mandate import Mandate
from actors.senate import Senate
from cluster.model import State
from portal import session
from portal.api.app import create_api
from portal.session import Sessions, sessions
from store.contract import Applied, Statement
from store.sqlite import SqliteStore
from supervisor.errors import ActorError
from supervisor.spec import ChildSpec, SupervisorSpec
from supervisor.system import System
from tests.cluster.build import spec, stack
from tests.portal.build import NOW, FakeNode, state
from tests.portal.driver import get

pytestmark = pytest.mark.anyio

CUTS = 200
CHANGES = 400


class Slow(SqliteStore):
    """A store that takes its time to say what it did."""

    async def apply(self, statements: Sequence[Statement], *, rid: str, epoch: int) -> Applied:
        applied = await super().apply(statements, rid=rid, epoch=epoch)
        await anyio.sleep(0.002)
        return applied


@dataclass
class Manager:
    """A Senate with a store, and the API before it."""

    system: System
    api: Starlette

    async def ask(self, command: object) -> object:
        """The answer, of this Senate or the next."""
        while True:
            try:
                return await self.system.ref("senate").ask(command, timeout=5.0)
            except ActorError:
                await anyio.sleep(0.01)

    async def events(self) -> list[str]:
        """The place of every event."""
        answer = await self.ask(protocol.GetEvents(limit=100_000))
        assert isinstance(answer, protocol.Events)
        return [f"{one.revision}.{one.number}" for one in answer.events]


@asynccontextmanager
async def manager(directory: Path) -> AsyncIterator[Manager]:
    store = await Slow.open(directory / "state.db", threaded=False)
    ids = map("id-{}".format, count())
    senate = ChildSpec("senate", lambda: Senate(store, Mandate(), "rome-1", lambda: NOW, lambda: next(ids)))
    doors = ChildSpec("portal", SupervisorSpec(children=(sessions(),)))
    system = System("rome-1")
    node = FakeNode(state())
    tokens = replace(node.backend(), follow=Sessions(system).follow)

    async def ask(path: str, message: object, timeout: float) -> object:
        if isinstance(message, protocol.GetState):
            present = await system.ref(path).ask(message, timeout=timeout)
            assert isinstance(present, State)
            return replace(present, tokens=node.state.tokens)  # which the client may come in by
        return await system.ref(path).ask(message, timeout=timeout)

    try:
        async with anyio.create_task_group() as group:
            group.start_soon(system.run, SupervisorSpec(children=(senate, doors), intensity=10_000, period=1.0))
            yield Manager(system, create_api(replace(tokens, ask=ask)))
            system.stop()
    finally:
        node.close()
        with anyio.CancelScope(shield=True):
            await store.close()


@pytest.mark.parametrize("seed", range(2))
async def test_a_watch_that_is_cut_off_200_times_loses_no_event_and_repeats_none(tmp_path, seed, monkeypatch):
    monkeypatch.setattr(session, "RETRY_SECONDS", 0.01)
    random = Random(seed)
    async with manager(tmp_path) as one:
        began = await one.ask(protocol.DeployStack(stack(spec(image="web"), spec("db", image="db"))))
        assert isinstance(began, protocol.Accepted)
        done = anyio.Event()

        async def change() -> None:
            for number in range(CHANGES):
                service = random.choice(("shop/web", "shop/db"))
                await one.ask(protocol.ScaleService(service, 2 + number % 5))
                if random.random() < 0.02:
                    await one.ask(protocol.RemoveStack("shop"))
                    await one.ask(protocol.DeployStack(stack(spec(image="web"), spec("db", image="db"), name="shop")))
                await anyio.sleep(random.choice((0.0, 0.0, 0.001, 0.004)))
            done.set()

        async def kill() -> None:
            """Often between a commit and the word of it: that is for the next one to tell."""
            while not done.is_set():
                await anyio.sleep(random.uniform(0.0, 0.05))
                if (senate := one.system.cell("senate")) is not None:
                    senate.kill()

        told: list[str] = []
        async with anyio.create_task_group() as group:
            group.start_soon(change)
            group.start_soon(kill)
            for _ in range(CUTS):
                await watch(
                    one.api, told, began.revision, random.choice((0, 1, 5, 40)), random.choice((0.0, 0.005, 0.1))
                )
            await done.wait()
        everything = [place for place in await one.events() if int(place.partition(".")[0]) > began.revision]
        while len(told) < len(everything):
            await watch(one.api, told, began.revision, 1, 1.0)
        assert told == everything
        assert len(told) > CHANGES / 2
        monkeypatch.setattr(senate, "RETAIN_EVERY", 1)
        monkeypatch.setattr(senate, "KEPT_EVENTS", 3)
        newest = await one.ask(protocol.HoldService("shop/web", True))
        assert isinstance(newest, protocol.Accepted)
        async with get(one.api, f"/v1/events?after={began.revision}") as stream:
            await stream.rest()
        assert stream.status == 410, "what was forgotten is left out in silence"
        while not told[-1].startswith(f"{newest.revision}."):
            await watch(one.api, told, began.revision, 1, 1.0)


async def watch(api: Starlette, told: list[str], since: int, chunks: int, patience: float) -> None:
    """Go on after the last event that was told, for so many chunks or so long; then the connection breaks."""
    last = {"last-event-id": told[-1]} if told else {}
    async with get(api, f"/v1/events?after={since}", {"accept": "text/event-stream", **last}) as stream:
        with anyio.move_on_after(patience):
            for _ in range(chunks):
                try:
                    block = await stream.text_until("\n\n")
                except anyio.EndOfStream:
                    return
                told += re.findall(r"^id: (\S+)$", block, re.MULTILINE)
