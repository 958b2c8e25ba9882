"""Death watch: exactly one notice for each watch."""

import anyio
import pytest

from supervisor.actor import Context
from supervisor.address import Address
from supervisor.message import Terminated
from supervisor.spec import ChildSpec, Restart, SupervisorSpec
from supervisor.watch import Watch
from tests.supervisor.build import Crash, Sleep, StopYourself, handler, running, scribe, settle

pytestmark = pytest.mark.anyio


def watcher(seen: list[Terminated], target: str = "rome-1/a") -> ChildSpec:
    """Watches `target` from its start; `watch` and `unwatch` are its commands."""

    async def started(ctx: Context) -> None:
        ctx.watch(ctx.ref(Address.parse(target)))

    async def receive(message: object, ctx: Context) -> None:
        match message:
            case Terminated():
                seen.append(message)
            case Sleep(seconds):
                await anyio.sleep(seconds)
            case "watch":
                ctx.watch(ctx.ref(Address.parse(target)))
            case "unwatch":
                ctx.unwatch(ctx.ref(Address.parse(target)))

    return handler("w", receive, started)


@pytest.mark.parametrize(
    ("message", "reason"), [(Crash("ouch"), "crashed: RuntimeError: ouch"), (StopYourself(), "normal")]
)
async def test_an_end_is_told_once_with_its_reason(message: object, reason: str):
    seen: list[Terminated] = []
    async with running(scribe("a", []), watcher(seen)) as system:
        incarnation = system.inspect("a")[0].incarnation
        system.ref("w").tell("watch")  # again: still one watch
        await settle()
        system.ref("a").tell(message)
        await settle()
        assert seen == [Terminated("rome-1/a", incarnation, reason)]


async def test_a_watch_is_over_one_life_and_may_begin_again():
    seen: list[Terminated] = []
    async with running(scribe("a", []), watcher(seen), intensity=5) as system:
        for crashes in (Crash("one"), Crash("unseen")):
            system.ref("a").tell(crashes)
            await settle()
        system.ref("w").tell("watch")
        await settle()
        system.ref("a").tell(Crash("three"))
        await settle()
    assert [notice.reason for notice in seen] == ["crashed: RuntimeError: one", "crashed: RuntimeError: three"]
    assert seen[0].incarnation < seen[1].incarnation


async def test_watching_nobody_is_told_at_once():
    seen: list[Terminated] = []
    async with running(watcher(seen)):
        await settle()
    assert seen == [Terminated("rome-1/a", 0, "no such actor")]


async def test_an_unwatched_end_is_not_told_even_if_the_notice_waits():
    seen: list[Terminated] = []
    async with running(scribe("a", []), watcher(seen)) as system:
        system.ref("w").tell(Sleep(2))
        system.ref("w").tell("unwatch")
        await settle()
        system.ref("a").tell(Crash())
        await anyio.sleep(3)
        system.ref("w").tell("unwatch")
        await settle()
    assert seen == []


async def test_a_stopped_child_and_a_killed_one_are_told_apart():
    seen: list[Terminated] = []
    second: list[Terminated] = []
    inner = SupervisorSpec(children=(scribe("polite", []), scribe("stubborn", [], shutdown=1)))
    on_polite = watcher(seen, "rome-1/inner/polite")
    on_stubborn = watcher(second, "rome-1/inner/stubborn")
    children = (ChildSpec("inner", inner), on_polite, ChildSpec("w2", on_stubborn.factory))
    async with running(*children) as system:
        system.ref("inner/stubborn").tell(Sleep(60))
        await settle()
        await system.stop_child("inner")
        await settle()
    assert [notice.reason for notice in seen] == ["shutdown"]
    assert [notice.reason for notice in second] == ["killed"]


async def test_a_supervisor_can_be_watched():
    seen: list[Terminated] = []
    inner = SupervisorSpec(children=(scribe("b", []),), intensity=0)
    async with running(ChildSpec("a", inner), watcher(seen)) as system:
        system.ref("a/b").tell(Crash())
        await settle()
    assert [notice.reason[:33] for notice in seen] == ["crashed: RestartIntensityExceeded"]


async def test_a_watcher_that_ends_watches_no_more():
    seen: list[Terminated] = []
    spec = watcher(seen)
    async with running(scribe("a", []), ChildSpec("w", spec.factory, restart=Restart.TEMPORARY)) as system:
        await system.stop_child("w")
        system.ref("a").tell(Crash())
        await settle()
    assert seen == []


async def test_what_it_told_before_it_ended_is_read_before_the_notice():
    order: list[str] = []

    async def started(ctx: Context) -> None:
        ctx.watch(ctx.ref("a"))

    async def receive(message: object, ctx: Context) -> None:
        order.append(type(message).__name__)

    async def last_words(message: object, ctx: Context) -> None:
        ctx.ref("w").tell("farewell")
        ctx.stop()

    async with running(handler("a", last_words), handler("w", receive, started)) as system:
        system.ref("a").tell("go")
        await settle()
    assert order == ["str", "Terminated"]


class Router:
    """Keeps the watches over other nodes, as a router does."""

    def __init__(self) -> None:
        self.watches: list[Watch] = []

    def tell(self, address, message):
        raise NotImplementedError

    async def offer(self, address, message):
        raise NotImplementedError

    async def ask(self, address, message, *, timeout):
        raise NotImplementedError

    def watch(self, watch):
        self.watches.append(watch)

    def forget_watch(self, watch):
        self.watches.remove(watch)


async def test_an_actor_of_another_node_is_watched_through_the_router():
    router, seen = Router(), list[Terminated]()
    async with running(watcher(seen, "rome-2/a"), router=router) as system:
        await settle()
        system.ref("w").tell("watch")  # again: still one watch
        await settle()
        [watch] = router.watches
        watch.notify(7, "normal")
        await settle()
        assert seen == [Terminated("rome-2/a", 7, "normal")]
        assert router.watches == []


async def test_a_watch_over_another_node_ends_with_unwatch_and_with_the_watcher():
    router = Router()
    async with running(watcher([], "rome-2/a"), router=router) as system:
        system.ref("w").tell("unwatch")
        await settle()
        assert router.watches == []
        system.ref("w").tell("watch")
        await settle()
        assert len(router.watches) == 1
    assert router.watches == []


async def test_without_a_router_an_actor_of_another_node_has_ended():
    seen: list[Terminated] = []
    async with running(watcher(seen, "rome-2/a")):
        await settle()
    assert seen == [Terminated("rome-2/a", 0, "no way leads to rome-2/a: this node has no router")]
