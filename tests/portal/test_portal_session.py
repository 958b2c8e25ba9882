"""Sessions: one reader's view of the Senate, which no reader can hold up."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import anyio
import pytest

from actors.protocol import Committed, Follow, Progress, Unfollow
from portal.backend import Told, TooSlow
from portal.session import BUFFER, Sessions, sessions
from supervisor.actor import Actor, Context
from supervisor.errors import ActorError
from supervisor.message import message
from supervisor.spec import ChildSpec, SupervisorSpec
from supervisor.system import System
from tests.portal.build import state

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@message("test.portal.say/1")
@dataclass(frozen=True, slots=True)
class Say:
    """Tell the followers something."""

    revisions: tuple[int, ...]


@message("test.portal.fall/1")
@dataclass(frozen=True, slots=True)
class Fall:
    """Crash."""


class Forum(Actor):
    """Follows the Senate's protocol with its followers, and nothing else of it."""

    def __init__(self) -> None:
        self.followers: list[str] = []

    async def receive(self, message: object, ctx: Context) -> None:
        match message:
            case Follow(follower):
                self.followers.append(follower)
                ctx.ref(follower).tell(Committed(state(revision=1)))
            case Unfollow(follower):
                self.followers.remove(follower)
            case Say(revisions):
                for revision in revisions:
                    for follower in self.followers:
                        ctx.ref(follower).tell(Committed(state(revision=revision)))
                ctx.reply(len(self.followers))
            case Progress():
                for follower in self.followers:
                    ctx.ref(follower).tell(message)
            case Fall():
                raise RuntimeError("a fault for the test")


@asynccontextmanager
async def legion():
    system = System("rome-1")
    children = (ChildSpec("senate", Forum), ChildSpec("portal", SupervisorSpec(children=(sessions(),))))
    async with anyio.create_task_group() as group:
        await group.start(partial(system.run, SupervisorSpec(children=children)))
        with anyio.fail_after(10):
            yield system
        system.stop()


async def say(system, *revisions):
    return await system.ref("senate").ask(Say(revisions), timeout=5)


async def revision(messages):
    """The revision of the next commit."""
    told = await anext(messages)
    assert isinstance(told, Told)
    return told.revision


async def test_a_session_begins_with_the_present_and_tells_all_that_follows():
    async with legion() as system, Sessions(system).follow() as messages:
        assert await revision(messages) == 1
        await say(system, 2, 3)
        system.ref("senate").tell(Progress("t", "pulling", 0.5))
        assert [await revision(messages) for _ in range(2)] == [2, 3]
        assert await anext(messages) == Progress("t", "pulling", 0.5)


async def test_of_what_waits_to_be_read_the_newest_alone_has_its_state_and_nothing_else_is_lost():
    async with legion() as system, Sessions(system).follow() as messages:
        assert await revision(messages) == 1
        await say(system, 2, 3)
        system.ref("senate").tell(Progress("t", "pulling", 0.5))
        await say(system, 4)
        await anyio.wait_all_tasks_blocked()
        waited = [await anext(messages) for _ in range(4)]
        assert waited.pop(2) == Progress("t", "pulling", 0.5)
        await say(system, 5)
        await anyio.wait_all_tasks_blocked()  # what was read stays as it was
        commits = [one for one in waited if isinstance(one, Told)]
        assert [(one.revision, one.state and one.state.revision) for one in commits] == [(2, None), (3, None), (4, 4)]


async def test_leaving_ends_the_session():
    async with legion() as system:
        async with Sessions(system).follow() as messages:
            await anext(messages)
            assert [info.address.path for info in system.inspect("portal/sessions")][1:] == ["portal/sessions/1"]
            assert await say(system) == 1
        assert len(system.inspect("portal/sessions")) == 1
        assert await say(system) == 0


async def test_a_reader_that_falls_behind_is_cut_off_and_others_are_not():
    async with legion() as system:
        following = Sessions(system)
        async with following.follow() as slow, following.follow() as quick:
            assert await revision(slow) == 1
            assert await revision(quick) == 1
            for number in range(BUFFER + 10):
                await say(system, number)
                assert await revision(quick) == number
            for _ in range(BUFFER):
                await anext(slow)
            with pytest.raises(TooSlow):
                await anext(slow)


async def test_a_senate_that_falls_is_followed_again_from_the_whole_state():
    async with legion() as system, Sessions(system).follow() as messages:
        assert await revision(messages) == 1
        system.ref("senate").tell(Fall())
        assert await revision(messages) == 1
        await say(system, 5)
        assert await revision(messages) == 5


async def test_a_node_that_stops_ends_the_reading():
    read = []
    async with legion() as system, Sessions(system).follow() as messages:
        async for told in messages:
            read.append(told)
            system.stop()
    assert len(read) == 1


async def test_no_session_is_opened_where_there_is_no_portal():
    system = System("rome-1")
    with pytest.raises(ActorError):
        async with Sessions(system).follow():
            pass
