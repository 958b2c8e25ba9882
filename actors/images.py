"""Has images at hand on one machine: one pull at a time for an image, whoever asks for it and how often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from actors import protocol
from cluster.spec import PullPolicy
from engine.port import Engine, EngineError, EngineUnavailable, ImageUnavailable
from supervisor.actor import Actor, Context, ReplyTo
from supervisor.message import message

REPORT_EVERY = 0.25


@message("image.ended/1")
@dataclass(frozen=True, slots=True)
class Ended:
    """What became of the look for an image, from this actor to itself."""

    key: str
    answer: protocol.ImageHere | protocol.Failed


class ImagesActor(Actor):
    """Answers `WantImage`. Progress of a pull goes to the Senate's followers, at most four times a second a task."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: dict[str, list[tuple[str, ReplyTo]]] = {}

    async def receive(self, message: object, ctx: Context) -> None:
        """Start a look for an image, join one that is under way, or answer all who waited for it."""
        match message:
            case protocol.WantImage(image, policy, task):
                # The policy is part of the key: a task that only wants it there need not wait for another's pull.
                key = f"{policy}:{image}"
                self._waiting.setdefault(key, []).append((task, ctx.reply_to))
                if len(self._waiting[key]) == 1:
                    ctx.spawn(key, partial(self._obtain, ctx), key, image, policy)
            case Ended(key, answer):
                for _, reply_to in self._waiting.pop(key, []):
                    reply_to.send(answer)

    async def _obtain(self, ctx: Context, key: str, image: str, policy: PullPolicy) -> Ended:
        try:
            return Ended(key, await self._look(ctx, key, image, policy))
        except EngineUnavailable as error:
            return Ended(key, protocol.Failed(str(error), down=True))
        except EngineError as error:
            return Ended(key, protocol.Failed(str(error)))

    async def _look(
        self, ctx: Context, key: str, image: str, policy: PullPolicy
    ) -> protocol.ImageHere | protocol.Failed:
        here = await self._engine.image(image)
        if here is not None and policy != "always":
            return protocol.ImageHere(here.id)
        if policy == "never":
            return protocol.Failed(
                f"image {image} is not on this machine, and its pull policy is never: load it, or change that"
            )
        tell = self._teller(ctx, key, ctx.now)
        async for progress in self._engine.pull(image):
            tell(progress.done / progress.total if progress.total else 0.0)
        here = await self._engine.image(image)
        if here is None:
            raise ImageUnavailable(f"image {image} was pulled but is not there: pull it again")
        return protocol.ImageHere(here.id)

    def _teller(self, ctx: Context, key: str, now: Callable[[], float]) -> Callable[[float], None]:
        last = -REPORT_EVERY

        def tell(fraction: float) -> None:
            nonlocal last
            if now() - last < REPORT_EVERY:
                return
            last = now()
            for task, _ in self._waiting.get(key, []):
                ctx.ref("senate").tell(protocol.Progress(task, f"pulling {fraction:.0%}", fraction))

        return tell

    def describe(self) -> dict[str, object]:
        """What inspection shows beside the runtime's own figures."""
        return {"under_way": sorted(self._waiting)}
