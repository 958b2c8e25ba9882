"""Nodes that are not heard are told where their manager is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import anyio
import pytest

from actors import protocol
from actors.herald import CALL, Herald, Unanswered
from actors.roll import Roll
from cluster.model import Node, State
from supervisor.spec import ChildSpec, SupervisorSpec
from supervisor.system import System
from tests.actors.house import time_of_day
from tests.actors.test_actors_gatekeeper import Senate, member, members

pytestmark = pytest.mark.anyio


class Megaphone:
    """Remembers who was called; `slow` is how long a call takes."""

    def __init__(self, slow: float = 0.0) -> None:
        self.called: list[str] = []
        self.slow = slow

    async def call(self, node: Node) -> None:
        self.called.append(node.id)
        await anyio.sleep(self.slow)
        raise Unanswered("nobody hears")


def hears(id: str) -> Node:
    return replace(member(id), link_port=4003)


@asynccontextmanager
async def manager(roll: Roll, voice: Megaphone, state: State) -> AsyncIterator[None]:
    system = System("n1", clock=time_of_day)
    children = (
        ChildSpec("senate", lambda: Senate(state)),
        ChildSpec("herald", lambda: Herald("n1", roll, voice)),
    )
    async with anyio.create_task_group() as group:
        await group.start(system.run, SupervisorSpec(children=children))
        yield
        system.stop()


async def test_who_is_not_heard_is_called_until_it_is():
    roll, voice = Roll(), Megaphone()
    roll.note(protocol.PeerHeard("n3"))
    async with manager(roll, voice, members(hears("n1"), hears("n2"), hears("n3"), member("n4"))):
        await anyio.sleep(2.5 * CALL)
        assert voice.called == ["n2", "n2"]  # not itself, not who is heard, and not who has no door
        roll.note(protocol.PeerHeard("n2"))
        roll.note(protocol.PeerDoubted("n3"))
        await anyio.sleep(2 * CALL)
        assert voice.called == ["n2", "n2"]
        roll.note(protocol.PeerLost("n3", "silence"))
        await anyio.sleep(CALL)
        assert voice.called == ["n2", "n2", "n3"]


async def test_a_call_that_takes_long_is_not_made_twice():
    voice = Megaphone(slow=2.5 * CALL)
    async with manager(Roll(), voice, members(hears("n2"))):
        await anyio.sleep(3.2 * CALL)
        assert voice.called == ["n2"]
        await anyio.sleep(CALL)
        assert voice.called == ["n2", "n2"]
