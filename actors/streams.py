"""Opens streams to who asks this machine for what is long or lasting, and serves them by its engine.

Each is a job of its own. It ends when its work does, when the other side hangs up, or with this actor.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from actors import protocol
from actors.flows import run_command, send_logs
from actors.stream import HungUp, Open, Work, serve
from engine.port import Engine
from supervisor.actor import Actor, Context, ReplyTo
from supervisor.message import message
from supervisor.spec import ChildSpec

STREAMS = "streams"
MOST_STREAMS = 256


@message("stream.ended/1")
@dataclass(frozen=True, slots=True)
class Ended:
    """A stream has ended, from this actor to itself."""

    stream: str


def streams(engine: Engine, open: Open) -> ChildSpec:
    """The actor as a child of a worker's root, to be started after its links."""
    return ChildSpec(STREAMS, partial(StreamsActor, engine, open))


class StreamsActor(Actor):
    """Answers `OpenLogs` and `OpenExec`. No more than `MOST_STREAMS` are open at a time."""

    def __init__(self, engine: Engine, open: Open) -> None:
        self._engine = engine
        self._open = open
        self._serving: dict[str, str] = {}

    async def receive(self, message: object, ctx: Context) -> None:
        """Begin a stream, or note that one has ended."""
        match message:
            case protocol.OpenLogs(stream, container):
                self._begin(stream, f"logs of {container}", partial(send_logs, self._engine, message), ctx)
            case protocol.OpenExec(stream, container, spec):
                work = partial(run_command, self._engine, container, spec)
                self._begin(stream, f"{spec.command[0]} in {container}", work, ctx)
            case Ended(stream):
                self._serving.pop(stream, None)

    def describe(self) -> dict[str, object]:
        """What inspection shows beside the runtime's own figures."""
        return {"serving": sorted(self._serving.values())}

    def _begin(self, stream: str, what: str, work: Work, ctx: Context) -> None:
        if len(self._serving) >= MOST_STREAMS:
            text = f"this machine serves {MOST_STREAMS} streams already (logs, exec): end some of them first"
            ctx.reply(protocol.Failed(text))
            return
        self._serving[stream] = what
        ctx.spawn(stream, self._serve, stream, work, ctx.reply_to)

    async def _serve(self, stream: str, work: Work, reply_to: ReplyTo) -> Ended:
        try:
            async with self._open(stream) as opened:
                reply_to.send(protocol.DoneWell())
                await serve(opened, work)
        except HungUp as error:
            reply_to.send(protocol.Failed(f"the stream could not be opened: {error}", down=True))
        return Ended(stream)
