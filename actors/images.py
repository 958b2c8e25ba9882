"""Has images at hand on one machine: one pull at a time for an image, whoever asks for it and how often."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

import anyio

from actors import protocol
from actors.following import SENATE
from actors.machine import Machine
from engine.docker_images import full_reference
from engine.port import Engine, EngineError, EngineUnavailable, ImageUnavailable
from supervisor.actor import Actor, Context, ReplyTo
from supervisor.message import message

REPORT_EVERY = 0.25
# How long a pull may bring nothing new until it is given up: the connection behind it may be dead without a word.
STALLED_SECONDS = 300.0

Answer = protocol.ImageHere | protocol.Failed


@message("image.looked/1")
@dataclass(frozen=True, slots=True)
class Looked:
    """Whether an image is here already, from this actor to itself; no answer where it is not."""

    key: str
    answer: Answer | None


@message("image.ended/1")
@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a pull, from this actor to itself."""

    key: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class _Asker:
    """Who waits for an image."""

    want: protocol.WantImage
    reply_to: ReplyTo


class ImagesActor(Actor):
    """Answers `WantImage`. Progress of a pull goes to the Senate's followers, at most four times a second a task.

    Whoever does not insist on a pull waits for a look alone where the image is here, though another pulls it just then.
    """

    def __init__(self, engine: Engine, machine: Machine) -> None:
        self._engine = engine
        self._machine = machine
        self._looking: dict[str, list[_Asker]] = {}
        self._pulling: dict[str, list[_Asker]] = {}

    async def receive(self, message: object, ctx: Context) -> None:
        """Look for an image, start or join a pull, or answer all who waited for it."""
        match message:
            case protocol.WantImage(image, policy):
                join = self._join_pull if policy == "always" else self._join_look
                join(full_reference(image), _Asker(message, ctx.reply_to), ctx)
            case Looked(key, answer):
                for asker in self._looking.pop(key, []):
                    self._settle(key, asker, answer, ctx)
            case Ended(key, answer):
                askers = self._pulling.pop(key, [])
                if isinstance(answer, protocol.ImageHere):
                    askers += self._looking.pop(key, [])  # a look that began before may not have found it
                for asker in askers:
                    asker.reply_to.send(answer)

    def _join_look(self, key: str, asker: _Asker, ctx: Context) -> None:
        self._looking.setdefault(key, []).append(asker)
        if len(self._looking[key]) == 1:
            ctx.spawn(f"look:{key}", self._look, key, asker.want.image)

    def _join_pull(self, key: str, asker: _Asker, ctx: Context) -> None:
        self._pulling.setdefault(key, []).append(asker)
        if len(self._pulling[key]) == 1:
            ctx.spawn(f"pull:{key}", self._pull, key, asker.want.image, self._teller(ctx, key, ctx.now))

    def _settle(self, key: str, asker: _Asker, answer: Answer | None, ctx: Context) -> None:
        """What a look comes to for one who asked."""
        image = asker.want.image
        if answer is not None:
            asker.reply_to.send(answer)
        elif asker.want.policy == "never":
            text = f"image {image} is not on this machine, and its pull policy is never: load it, or change that"
            asker.reply_to.send(protocol.Failed(text))
        else:
            self._join_pull(key, asker, ctx)

    async def _look(self, key: str, image: str) -> Looked:
        try:
            here = await self._engine.image(image)
        except EngineError as error:
            return Looked(key, _failed(error))
        return Looked(key, protocol.ImageHere(here.id) if here else None)

    async def _pull(self, key: str, image: str, tell: Callable[[float], None]) -> Ended:
        try:
            with anyio.fail_after(STALLED_SECONDS) as stall:
                moves = -1
                async with aclosing(self._engine.pull(image)) as pull:
                    async for progress in pull:
                        if progress.moves != moves:
                            moves, stall.deadline = progress.moves, anyio.current_time() + STALLED_SECONDS
                        tell(progress.done / progress.total if progress.total else 0.0)
            here = await self._engine.image(image)
            if here is None:
                raise ImageUnavailable(f"image {image} was pulled but is not there: pull it again")
        except TimeoutError:
            text = f"the pull of image {image} brought nothing for {STALLED_SECONDS / 60:g} minutes"
            return Ended(key, protocol.Failed(f"{text}: see whether this machine reaches its registry"))
        except EngineError as error:
            return Ended(key, _failed(error))
        return Ended(key, protocol.ImageHere(here.id))

    def _teller(self, ctx: Context, key: str, now: Callable[[], float]) -> Callable[[float], None]:
        last, senate = -REPORT_EVERY, ctx.ref(self._machine.at_manager(SENATE, ctx.address))

        def tell(fraction: float) -> None:
            nonlocal last
            if now() - last < REPORT_EVERY:
                return
            last = now()
            for asker in self._pulling.get(key, []):
                senate.tell(protocol.Progress(asker.want.task, f"pulling {fraction:.0%}", fraction))

        return tell

    def describe(self) -> dict[str, object]:
        """What inspection shows beside the runtime's own figures."""
        return {"pulling": sorted(self._pulling), "looking": sorted(self._looking)}


def _failed(error: EngineError) -> protocol.Failed:
    return protocol.Failed(str(error), down=isinstance(error, EngineUnavailable))
