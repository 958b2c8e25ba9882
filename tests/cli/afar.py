"""A manager and a worker in one event loop, joined as the composition root joins them, over a network in memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass

import anyio
import anyio.lowlevel

from actors.stream import Stream
from actors.streams import streams
from cli.streams import Streams, opener
from cluster.container import ExecSpec
from cluster.model import Task
from engine.fake import FakeEngine
from engine.port import LogLine
from tests.portal.build import task
from tests.transport.legion import Node, node
from transport.conduits import Conduits
from transport.memory import MemoryNetwork

MANAGER, WORKER = "rome-1", "rome-2"


class Fountain(FakeEngine):
    """Its logs never end; `drawn` counts the lines that were read of each, `open` those that are being read."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn: dict[str, int] = {}
        self.open: set[str] = set()

    async def logs(
        self, container: str, *, follow: bool = False, tail: int | None = None, since: float = 0.0
    ) -> AsyncGenerator[Sequence[LogLine], None]:
        self.open.add(container)
        try:
            while True:
                begin = self.drawn.setdefault(container, 0)
                yield [LogLine("2024-01-01T00:00:00Z", "stdout", f"{number}") for number in range(begin, begin + 100)]
                self.drawn[container] += 100
                await anyio.lowlevel.checkpoint()
        finally:
            self.open.discard(container)


@dataclass
class Legion:
    """Both of them, and the manager's ports for what flows."""

    network: MemoryNetwork
    manager: Node
    worker: Node
    streams: Streams
    ours: Conduits
    theirs: Conduits

    async def lines(self, container: str, **wanted: object) -> AsyncGenerator[str, None]:
        """The lines of a container at the worker."""
        query = {"follow": False, "tail": None, "since": 0.0, **wanted}
        logs = self.streams.logs(afar(), container, **query)  # type: ignore[arg-type]
        async with aclosing(logs) as batches:
            async for batch in batches:
                for line in batch:
                    yield line.text

    def exec(self, *command: str, container: str = "web", **wanted: object) -> AbstractAsyncContextManager[Stream]:
        """Run a command in a container at the worker."""
        return self.streams.exec(afar(), container, ExecSpec(command, **wanted))  # type: ignore[arg-type]

    async def quiet(self) -> None:
        """Wait until no conduit is open any more."""
        with anyio.fail_after(60):
            while len(self.ours) + len(self.theirs):
                await anyio.sleep(0.01)


def afar() -> Task:
    """A task at the worker."""
    return task(node=WORKER)


@asynccontextmanager
async def legion(engine: FakeEngine) -> AsyncIterator[Legion]:
    """A manager with an engine that has nothing, and a worker with this one, connected."""
    async with MemoryNetwork() as network:
        theirs = Conduits()
        children = (streams(engine, opener(theirs, lambda name: network.dialer(WORKER, MANAGER, name))),)
        async with node(network, MANAGER) as manager, node(network, WORKER, *children) as worker:
            ours = Conduits(manager.router.accept)
            manager.followers.append(ours.heed)
            worker.followers.append(theirs.heed)
            network.listen(MANAGER, ours.accept)
            await manager.link(WORKER, dials=False)
            await worker.link(MANAGER, dials=True)
            await anyio.sleep(0.1)
            flows = Streams(
                MANAGER,
                FakeEngine(),
                lambda address, message, timeout: manager.system.ref(address).ask(message, timeout=timeout),
                ours,
            )
            yield Legion(network, manager, worker, flows, ours, theirs)
