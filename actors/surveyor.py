"""Looks at one machine's room and load for who looks after all machines, and puts away what nothing needs there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from functools import partial

from actors import protocol
from actors.sampler import Sampler
from cluster.pruning import OVER
from engine.port import Conflict, Engine, EngineError, EngineUnavailable
from supervisor.actor import Actor, Context, ReplyTo

SURVEYOR = "surveyor"


class Surveyor(Actor):
    """Every question is answered beside all others.

    What an engine keeps it is asked once for all who want to know by then: it may take minutes to add up its files,
    whoever has ceased to wait, and does it for one at a time. How busy it is it is asked for all of them together, too.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._asked = 0
        self._waiting: list[ReplyTo] = []
        self._sampler = Sampler(engine)
        self._load_wanted: list[tuple[tuple[str, ...], ReplyTo]] = []

    async def receive(self, message: object, ctx: Context) -> None:
        """Begin to find out, or to remove."""
        match message:
            case protocol.WantUsage():
                self._waiting.append(ctx.reply_to)
                if len(self._waiting) == 1:
                    ctx.spawn("usage", self._tell_usage)
            case protocol.WantLoad(containers):
                self._load_wanted.append((containers, ctx.reply_to))
                if len(self._load_wanted) == 1:
                    ctx.spawn("load", self._tell_load)
            case protocol.Prune():
                self._answer(lambda: self._prune(message), ctx)

    def _answer(self, work: Callable[[], Awaitable[object]], ctx: Context) -> None:
        self._asked += 1
        ctx.spawn(f"question:{self._asked}", self._reply, work, ctx.reply_to)

    async def _reply(self, work: Callable[[], Awaitable[object]], reply_to: ReplyTo) -> None:
        reply_to.send(await _said(work))

    async def _tell_usage(self) -> None:
        said = await _said(self._usage)
        waiting, self._waiting = self._waiting, []
        for reply_to in waiting:
            reply_to.send(said)

    async def _usage(self) -> protocol.UsageSeen:
        return protocol.UsageSeen(await self._engine.usage())

    async def _tell_load(self) -> None:
        """Who asks meanwhile is told after that, of what they ask about."""
        while asking := tuple(self._load_wanted):
            containers = [one for wanted, _ in asking for one in wanted]
            said = await _said(partial(self._load, containers))
            for wanted, reply_to in asking:
                reply_to.send(_of(said, wanted))
            del self._load_wanted[: len(asking)]

    async def _load(self, containers: Iterable[str]) -> protocol.LoadSeen:
        samples = await self._sampler.take(containers)
        return protocol.LoadSeen(await self._engine.load(), samples)

    async def _prune(self, wanted: protocol.Prune) -> protocol.Pruned:
        """One after the other, so that an engine has time for what runs on it."""
        kept = dict[str, str]()
        for container in wanted.containers:
            kept[container] = await _told(self._remove_container(container))
        for image, names in wanted.images.items():
            kept[image] = await _told(self._remove_image(image, names))
        return protocol.Pruned(
            tuple(id for id, why in kept.items() if not why), {id: why for id, why in kept.items() if why}
        )

    async def _remove_container(self, container: str) -> str:
        """It is looked at once more: an engine removes what runs, too."""
        found = await self._engine.container(container)
        if found is not None and found.state not in OVER:
            return f"is {found.state} by now"
        await self._engine.remove(container)
        return ""

    async def _remove_image(self, image: str, names: Iterable[str]) -> str:
        """Its names are looked at once more: since they were read another image may have been built under one."""
        for name in names:
            found = await self._engine.image(name)
            if found is not None and found.id != image:
                return f"is {name} no more: another image has that name by now"
        for name in names or (image,):
            await self._engine.remove_image(name)
        left = await self._engine.image(image)
        return "" if left is None else "has another name by now"


async def _said(work: Callable[[], Awaitable[object]]) -> object:
    try:
        return await work()
    except EngineError as error:
        return protocol.Failed(f"does not say: {error}", down=isinstance(error, EngineUnavailable))


def _of(said: object, containers: Iterable[str]) -> object:
    """What was said of these containers alone."""
    if not isinstance(said, protocol.LoadSeen):
        return said
    return replace(said, samples={one: said.samples[one] for one in containers if one in said.samples})


async def _told(removal: Awaitable[str]) -> str:
    """Why something was not removed; empty where it was."""
    try:
        return await removal
    except Conflict as error:
        return f"is in use: {error}"
    except EngineError as error:
        return f"was not removed: {error}"
