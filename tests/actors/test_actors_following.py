"""A follower of the Senate is told again from the whole state, however often the Senate ends."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import anyio
import pytest

from actors.following import FollowAgain, Following
from actors.protocol import Committed, Follow, Unfollow
from cluster.model import State
from supervisor.actor import Actor, Context
from supervisor.message import Terminated, message
from supervisor.spec import ChildSpec, SupervisorSpec
from supervisor.system import System

pytestmark = pytest.mark.anyio

PAUSE = 0.5


@message("test.following.fall/1")
@dataclass(frozen=True, slots=True)
class Fall:
    """Crash."""


class Forum(Actor):
    """A Senate that notes who follows it, and when."""

    def __init__(self, heard: list[tuple[object, float]]) -> None:
        self.heard = heard

    async def receive(self, message: object, ctx: Context) -> None:
        if isinstance(message, Fall):
            raise RuntimeError("a fault for the test")
        self.heard.append((message, ctx.now()))
        if isinstance(message, Follow):
            ctx.ref(message.follower).tell(Committed(State()))


class Citizen(Actor):
    """Follows, and watches somebody else besides."""

    def __init__(self) -> None:
        self.following = Following(PAUSE)

    async def started(self, ctx: Context) -> None:
        ctx.watch(ctx.ref("nobody"))
        self.following.begin(ctx)

    async def receive(self, message: object, ctx: Context) -> None:
        if isinstance(message, Terminated | FollowAgain):
            self.following.go_on(message, ctx)

    async def stopped(self, ctx: Context) -> None:
        self.following.end(ctx)


@asynccontextmanager
async def city(heard: list[tuple[object, float]]) -> AsyncIterator[System]:
    system = System("rome-1")
    async with anyio.create_task_group() as group:
        await group.start(partial(system.run, SupervisorSpec(children=(ChildSpec("citizen", Citizen),))))
        yield system
        system.stop()


async def test_it_is_followed_a_pause_after_it_was_not_there_and_after_it_ended():
    heard: list[tuple[object, float]] = []
    async with city(heard) as system:
        begun = anyio.current_time()
        await anyio.sleep(PAUSE / 2)
        await system.start_child("", ChildSpec("senate", lambda: Forum(heard)))
        await anyio.sleep(3 * PAUSE)
        assert heard == [(Follow("rome-1/citizen"), begun + PAUSE)]  # and of nobody else's end is any notice taken
        fallen = anyio.current_time()
        system.ref("senate").tell(Fall())
        await anyio.sleep(3 * PAUSE)
        assert heard[1:] == [(Follow("rome-1/citizen"), fallen + PAUSE)]
        await system.stop_child("citizen")
        await anyio.sleep(PAUSE)
        assert [message for message, _ in heard[2:]] == [Unfollow("rome-1/citizen")]
