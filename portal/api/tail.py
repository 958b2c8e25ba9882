"""Follows containers' output as it comes, while containers come and go."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

import anyio
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from cluster.model import Task
from portal.api.lines import Emit
from portal.api.log_reader import AT_ONCE, Reader, Select, line_row, sources
from portal.backend import EngineFailed, Told, Unreached
from portal.merge import Line, Reorder

# How long to wait for a machine that is out of reach before it is asked again.
AGAIN_SECONDS = 3.0
# The stream of a line that no container wrote, but this.
NOTE = "note"


@dataclass(slots=True)
class Place:
    """Where a container is read from, at first and after its machine was out of reach. Pure."""

    tail: int | None
    since: float
    _last: Line | None = None
    _again: bool = False
    _noted: bool = False

    def pass_on(self, lines: list[Line]) -> list[Line]:
        """What of these was not read before."""
        self._noted = False
        if self._again and self._last is not None:
            last = self._last.moment
            lines = [line for line in lines if line.moment > last]
            self._again = not lines
        if lines:
            self._last = lines[-1]
        return lines

    def note(self, task: Task, problem: str, now: float) -> Line | None:
        """Read on from here the next time; a line that tells why nothing comes, the first time."""
        if self._last is not None:
            # The engine's own times are finer than a number of seconds since the epoch can be.
            self.tail, self.since = None, datetime.fromisoformat(self._last.at).timestamp() - 0.01
            self._again = True
        if self._noted:
            return None
        self._noted = True
        at = datetime.fromtimestamp(now, UTC).isoformat().replace("+00:00", "Z")
        return Line(task, at, NOTE, f"{problem}; it is read on when that is over")


class Tail:
    """Follows containers as they come and go, until no other can follow them.

    One whose machine is out of reach is read on from where it was once that is back, as long as the task is there.
    """

    def __init__(self, reader: Reader, select: Select, emit: Emit) -> None:
        self._reader = reader
        self._select = select
        self._emit = emit
        self._seen: set[str] = set()
        self._present: set[str] = set()

    async def run(self) -> None:
        """Until the last reader has ended. Raises the first of what could not be read."""
        send, receive = anyio.create_memory_object_stream[list[Line]]()
        async with anyio.create_task_group() as readers:
            readers.start_soon(self._watch, readers, send)
            await self._pass_on(receive)
        self._reader.conclude()

    async def _watch(self, readers: TaskGroup, send: MemoryObjectSendStream[list[Line]]) -> None:
        """Start to read each container when it is first heard of; only those of the beginning are cut to the query."""
        late = False
        async with send, self._reader.backend.follow() as messages:
            async for message in messages:
                if not isinstance(message, Told) or message.state is None:
                    continue
                selection = self._select(message.state)
                found = sources(selection.tasks)
                self._present = {container for _, container in found} if selection.lasting else set()
                for task, container in found:
                    if container not in self._seen:
                        self._seen.add(container)
                        readers.start_soon(self._read, task, container, late, send.clone())
                late = True
                if not selection.lasting:
                    return

    async def _read(self, task: Task, container: str, late: bool, send: MemoryObjectSendStream[list[Line]]) -> None:
        query = self._reader.query
        place = Place(*((None, 0.0) if late else (query.tail, query.since)))
        async with send:
            try:
                while True:
                    if await self._read_on(task, container, place, send):
                        return
                    await anyio.sleep(AGAIN_SECONDS)
            except EngineFailed as error:
                self._reader.failures.append(error)

    async def _read_on(
        self, task: Task, container: str, place: Place, send: MemoryObjectSendStream[list[Line]]
    ) -> bool:
        """Read from that place on, and return whether that came to its end. Raises EngineFailed where it never will."""
        try:
            async with aclosing(self._reader.read(task, container, place.tail, place.since)) as batches:
                async for lines in batches:
                    if fresh := place.pass_on(lines):
                        await send.send(fresh)
        except Unreached as error:
            if container not in self._present:
                raise
            if note := place.note(task, str(error), self._reader.backend.clock()):
                await send.send([note])
            return False
        return True

    async def _pass_on(self, receive: MemoryObjectReceiveStream[list[Line]]) -> None:
        """Send lines in order until the last reader has ended."""
        held = Reorder()
        with receive:
            while True:
                lines: list[Line] = []
                try:
                    with anyio.move_on_after(held.wait(anyio.current_time())):
                        lines = await receive.receive()
                except anyio.EndOfStream:
                    break
                for line in lines:
                    held.push(line, anyio.current_time())
                await self._emit_all(held.due(anyio.current_time()))
        await self._emit_all(held.rest())

    async def _emit_all(self, lines: Iterable[Line]) -> None:
        waiting = map(line_row, lines)
        while rows := list(islice(waiting, AT_ONCE)):
            await self._emit(*rows)
