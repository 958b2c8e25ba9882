"""What joins the doors, the actors and the transport where something flows: logs, and commands with their input."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from functools import partial
from typing import Protocol

import anyio

from actors import protocol
from actors.flows import run_command
from actors.pipe import pipe
from actors.stream import HungUp, Open, Stream, serve
from actors.streams import STREAMS
from cluster.container import ExecSpec
from cluster.model import Task
from engine.port import Engine, EngineError, EngineUnavailable, LogLine
from portal.backend import EngineFailed, Unreached
from supervisor.address import Address
from supervisor.errors import ActorError
from transport.channel import ChannelClosed, Dial
from transport.conduit import Conduit
from transport.conduits import OPEN_SECONDS, Conduits, Expected


class Ask(Protocol):
    """Asks an actor of any node. Raises supervisor.errors.ActorError where no answer comes."""

    async def __call__(self, address: Address, message: object, timeout: float) -> object:
        """The actor's reply, within `timeout` seconds."""


class Streams:
    """The doors' ports for what flows: of this node's tasks by its own engine, of others' by a conduit from their node.

    Lines and errors are the same either way.
    """

    def __init__(self, node: str, engine: Engine, ask: Ask, conduits: Conduits) -> None:
        self._node = node
        self._engine = engine
        self._ask = ask
        self._conduits = conduits

    async def logs(
        self, task: Task, container: str, *, follow: bool, tail: int | None, since: float
    ) -> AsyncGenerator[Sequence[LogLine], None]:
        """See `portal.backend.Logs`."""
        if task.node == self._node:
            logs = self._engine.logs(container, follow=follow, tail=tail, since=since)
        else:
            logs = self._logs_from_afar(task, container, follow, tail, since)
        try:
            # Closed at once when the reader leaves: the engine's connection is not for the garbage collector to end.
            async with aclosing(logs) as batches:
                async for lines in batches:
                    yield lines
        except EngineUnavailable as error:
            raise Unreached(str(error)) from error
        except EngineError as error:
            raise EngineFailed(str(error)) from error

    async def _logs_from_afar(
        self, task: Task, container: str, follow: bool, tail: int | None, since: float
    ) -> AsyncGenerator[Sequence[LogLine], None]:
        # No task group and no time limit may be open across a yield: who reads many of these ends them in any order.
        with self._conduits.expect(task.node) as expected, _told(task):
            conduit = await self._opened(task, expected, protocol.OpenLogs(expected.id, container, follow, tail, since))
            while not isinstance(said := await conduit.receive(), protocol.DoneWell):
                match said:
                    case protocol.LogLines(lines):
                        yield lines
                    case protocol.Failed():
                        raise _failure(said)

    @asynccontextmanager
    async def exec(self, task: Task, container: str, spec: ExecSpec) -> AsyncIterator[Stream]:
        """See `portal.backend.Exec`."""
        if task.node != self._node:
            with self._conduits.expect(task.node) as expected, _told(task):
                wanted = protocol.OpenExec(expected.id, container, spec)
                yield Flow(await self._opened(task, expected, wanted))
            return
        here, there = pipe()
        async with anyio.create_task_group() as group:
            group.start_soon(serve, there, partial(run_command, self._engine, container, spec))
            try:
                yield here
            finally:
                here.close()
                there.close()

    async def _opened(self, task: Task, expected: Expected, wanted: object) -> Conduit:
        try:
            reply = await self._ask(Address(task.node, STREAMS), wanted, OPEN_SECONDS)
        except ActorError as error:
            raise Unreached(f"the machine of task {task.name} does not answer: {error}") from error
        if isinstance(reply, protocol.Failed):
            raise _failure(reply, f"the machine of task {task.name} says: ")
        return await expected.conduit()


def _failure(failed: protocol.Failed, said_by: str = "") -> EngineFailed:
    return (Unreached if failed.down else EngineFailed)(f"{said_by}{failed.reason}")


@contextmanager
def _told(task: Task) -> Iterator[None]:
    """Tell the end of a conduit as what it means for who reads it."""
    try:
        yield
    except ChannelClosed as error:
        raise Unreached(f"the stream from the machine of task {task.name} was cut: {error}") from error


def opener(conduits: Conduits, dial: Callable[[str], Dial]) -> Open:
    """What opens a worker's streams to its manager: `dial` gives the dialer of a conduit by its name."""

    @asynccontextmanager
    async def open(name: str) -> AsyncIterator[Stream]:
        try:
            async with conduits.open(dial(name)) as conduit:
                yield Flow(conduit)
        except ChannelClosed as error:
            raise HungUp(str(error)) from error

    return open


class Flow:
    """A conduit as actors know it."""

    def __init__(self, conduit: Conduit) -> None:
        self._conduit = conduit

    async def send(self, message: object, /) -> None:
        """See `actors.streams.Stream`."""
        try:
            await self._conduit.send(message)
        except ChannelClosed as error:
            raise HungUp(str(error)) from error

    async def receive(self) -> object:
        """See `actors.streams.Stream`."""
        try:
            return await self._conduit.receive()
        except ChannelClosed as error:
            raise HungUp(str(error)) from error

    async def gone(self) -> None:
        """See `actors.streams.Stream`."""
        await self._conduit.gone()
