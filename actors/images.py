"""Has images at hand on one machine: one pull at a time for an image, whoever asks for it and how often."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

import anyio

from actors import protocol
from actors.machine import Machine
from actors.places import KEYRING, SENATE
from cluster.registries import Credential, advised, registry_of
from engine.docker_images import full_reference
from engine.port import Engine, EngineError, EngineUnavailable, ImageUnavailable
from supervisor.actor import Actor, Context, ReplyTo
from supervisor.errors import ActorError
from supervisor.message import message

REPORT_EVERY = 0.25
BORROW_SECONDS = 5.0
# How long a pull may bring nothing new until it is given up: the connection behind it may be dead without a word.
STALLED_SECONDS = 300.0

Answer = protocol.ImageHere | protocol.Failed


@dataclass(frozen=True, slots=True)
class Pulled:
    """What is pulled, and for which stack: another may sign in to the registry differently."""

    stack: str
    image: str
    platform: str = ""


@message("image.looked/1")
@dataclass(frozen=True, slots=True)
class Looked:
    """Whether an image is here already, from this actor to itself; no answer where it is not."""

    image: str
    answer: Answer | None


@message("image.ended/1")
@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a pull, from this actor to itself."""

    key: Pulled
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
        self._pulling: dict[Pulled, list[_Asker]] = {}

    async def receive(self, message: object, ctx: Context) -> None:
        """Look for an image, start or join a pull, or answer all who waited for it."""
        match message:
            case protocol.WantImage(image, policy):
                join = self._join_pull if policy == "always" else self._join_look
                join(full_reference(image), _Asker(message, ctx.reply_to), ctx)
            case Looked(image, answer):
                for asker in self._looking.pop(image, []):
                    self._settle(image, asker, answer, ctx)
            case Ended(key, answer):
                askers = self._pulling.pop(key, [])
                if isinstance(answer, protocol.ImageHere):  # a look that began before may not have found it
                    askers += self._looking.pop(key.image, [])
                for asker in askers:
                    asker.reply_to.send(answer)

    def _join_look(self, image: str, asker: _Asker, ctx: Context) -> None:
        self._looking.setdefault(image, []).append(asker)
        if len(self._looking[image]) == 1:
            ctx.spawn(f"look:{image}", self._look, image, asker.want.image)

    def _join_pull(self, image: str, asker: _Asker, ctx: Context) -> None:
        key = Pulled(asker.want.stack, image, asker.want.platform)
        self._pulling.setdefault(key, []).append(asker)
        if len(self._pulling[key]) == 1:
            tell = self._teller(ctx, key, ctx.now)
            ctx.spawn(f"pull:{key.stack}:{image}:{key.platform}", self._pull, ctx, key, asker.want, tell)

    def _settle(self, image: str, asker: _Asker, answer: Answer | None, ctx: Context) -> None:
        """What a look comes to for one who asked."""
        if answer is not None:
            asker.reply_to.send(answer)
        elif asker.want.policy == "never":
            text = f"image {asker.want.image} is not on this machine, and its pull policy is never"
            asker.reply_to.send(protocol.Failed(f"{text}: load it, or change that"))
        else:
            self._join_pull(image, asker, ctx)

    async def _look(self, key: str, image: str) -> Looked:
        try:
            here = await self._engine.image(image)
        except EngineError as error:
            return Looked(key, _failed(error))
        return Looked(key, protocol.ImageHere(here.id) if here else None)

    async def _pull(self, ctx: Context, key: Pulled, want: protocol.WantImage, tell: Callable[[float], None]) -> Ended:
        """Ask for the sign-in each time, for one that was mended counts at once, and none is kept on this machine."""
        lent = await self._borrow(ctx, want.task)
        try:
            return Ended(key, await self._bring(want, lent.credential, tell))
        except TimeoutError:
            text = f"the pull of image {want.image} brought nothing for {STALLED_SECONDS / 60:g} minutes"
            return Ended(key, protocol.Failed(f"{text}: see whether this machine reaches its registry"))
        except ImageUnavailable as error:
            username = lent.credential.username if lent.credential else ""
            text = advised(str(error), error.trouble, registry_of(want.image), username, lent.problem)
            return Ended(key, protocol.Failed(text, trouble=error.trouble))
        except EngineError as error:
            return Ended(key, _failed(error))

    async def _borrow(self, ctx: Context, task: str) -> protocol.Lent:
        keyring = ctx.ref(self._machine.at_manager(KEYRING, ctx.address))
        try:
            lent = await keyring.ask(protocol.WantCredential(self._machine.node, task), timeout=BORROW_SECONDS)
        except ActorError:
            return protocol.Lent(problem="the manager, which keeps sign-ins, does not answer")
        assert isinstance(lent, protocol.Lent)
        return lent

    async def _bring(
        self, want: protocol.WantImage, credential: Credential | None, tell: Callable[[float], None]
    ) -> protocol.ImageHere:
        with anyio.fail_after(STALLED_SECONDS) as stall:
            moves = -1
            async with aclosing(self._engine.pull(want.image, credential, want.platform)) as pull:
                async for progress in pull:
                    if progress.moves != moves:
                        moves, stall.deadline = progress.moves, anyio.current_time() + STALLED_SECONDS
                    tell(progress.done / progress.total if progress.total else 0.0)
        here = await self._engine.image(want.image)
        if here is None:
            raise ImageUnavailable(f"image {want.image} was pulled but is not there: pull it again")
        return protocol.ImageHere(here.id)

    def _teller(self, ctx: Context, key: Pulled, now: Callable[[], float]) -> Callable[[float], None]:
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
        return {"pulling": sorted({key.image for key in self._pulling}), "looking": sorted(self._looking)}


def _failed(error: EngineError) -> protocol.Failed:
    return protocol.Failed(str(error), down=isinstance(error, EngineUnavailable))
