"""What the runtime's tests share: a system that runs while a test does, and an actor that keeps a journal."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio

from supervisor.actor import Actor, Context
from supervisor.message import message
from supervisor.spec import ChildSpec, SupervisorSpec
from supervisor.system import System
from transport.codec import JsonCodec


@message("test.crash/1")
@dataclass(frozen=True, slots=True)
class Crash:
    """Raise RuntimeError(reason)."""

    reason: str = "told to"


@message("test.stop/1")
@dataclass(frozen=True, slots=True)
class StopYourself:
    """Call ctx.stop()."""


@message("test.sleep/1")
@dataclass(frozen=True, slots=True)
class Sleep:
    """Keep the handler busy."""

    seconds: float


class Scribe(Actor):
    """Writes what happens to it into a journal: `+a` started, `-a` stopped, `a:x` received x. Echoes what is asked."""

    def __init__(self, name: str, journal: list[str]) -> None:
        self.name = name
        self.journal = journal

    async def started(self, ctx: Context) -> None:
        self.journal.append(f"+{self.name}")

    async def receive(self, message: object, ctx: Context) -> None:
        match message:
            case Crash(reason):
                raise RuntimeError(reason)
            case StopYourself():
                ctx.stop()
            case Sleep(seconds):
                await anyio.sleep(seconds)
            case _:
                self.journal.append(f"{self.name}:{message}")
                ctx.reply(message)

    async def stopped(self, ctx: Context) -> None:
        self.journal.append(f"-{self.name}")


def scribe(name: str, journal: list[str], **options: Any) -> ChildSpec:
    """A child spec for a scribe of that name."""
    return ChildSpec(name, lambda: Scribe(name, journal), **options)


class Handler(Actor):
    """An actor of one function: `receive(message, ctx)`, and perhaps `started(ctx)`."""

    def __init__(self, receive: Callable[..., Any], started: Callable[[Context], Any] | None = None) -> None:
        self._receive = receive
        self._started = started

    async def started(self, ctx: Context) -> None:
        if self._started is not None:
            await self._started(ctx)

    async def receive(self, message: object, ctx: Context) -> None:
        await self._receive(message, ctx)


def handler(id: str, receive: Callable[..., Any], started: Callable[[Context], Any] | None = None) -> ChildSpec:
    """A child spec for an actor of one function."""
    return ChildSpec(id, lambda: Handler(receive, started))


@asynccontextmanager
async def running(*children: ChildSpec, **options: Any) -> AsyncIterator[System]:
    """A system with these children, in strict mode unless `codec` says otherwise; other options are the root spec's."""
    system = System("rome-1", codec=options.pop("codec", JsonCodec()), router=options.pop("router", None))
    async with anyio.create_task_group() as group:
        await group.start(system.run, SupervisorSpec(children=children, **options))
        yield system
        system.stop()


async def settle() -> None:
    """Let everything happen that needs no time: a virtual clock moves on only when all tasks wait."""
    await anyio.sleep(0.001)
