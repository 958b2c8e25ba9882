"""What containers wrote, of one task or of all of a service, as it was or as it comes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import islice

import anyio
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from starlette.requests import Request

from actors.protocol import Committed
from cluster.model import State, Task
from portal.api.lines import Emit, Lines
from portal.api.problems import Problem
from portal.api.requests import flag, number, whole
from portal.backend import Backend, EngineFailed
from portal.merge import Line, Reorder, merged
from portal.rows import Row, present

# A line costs little, and a part of a response much: so many lines are sent as one where they are there.
AT_ONCE = 500

Source = tuple[Task, str]


@dataclass(frozen=True, slots=True)
class Selection:
    """The tasks that are asked about; `lasting` says that others may follow them."""

    tasks: Sequence[Task]
    lasting: bool


Select = Callable[[State], Selection]


@dataclass(frozen=True, slots=True)
class LogQuery:
    """What of each container's output is wanted. `since` is in seconds since the epoch."""

    follow: bool = False
    previous: bool = False
    tail: int | None = None
    since: float = 0.0

    @classmethod
    def of(cls, request: Request) -> LogQuery:
        """The query in a request's parameters."""
        parameters = request.query_params
        since = number(parameters, "since", 0.0) or 0.0
        query = cls(flag(request, "follow"), flag(request, "previous"), whole(parameters, "tail"), since)
        if query.follow and query.previous:
            raise Problem("invalid", "a container that has ended writes nothing more: leave out follow or previous")
        return query


def stream_logs(backend: Backend, state: State, select: Select, query: LogQuery) -> Lines:
    """The output of the selected tasks, merged by time; following, of those that come after them too."""
    reader = _Reader(backend, query)
    if query.follow:
        return Lines(lambda emit: _Tail(reader, select, emit).run())
    tasks = select(state).tasks
    sources = _previous(tasks) if query.previous else _present(tasks)
    if query.previous and not sources:
        raise Problem("not_found", "there is no earlier container: nothing of this has ended yet, or it was cleaned up")
    return Lines(lambda emit: _emit_past(reader, sources, emit))


def _present(tasks: Sequence[Task]) -> list[Source]:
    return [(task, task.container_id) for task in present(tasks) if task.container_id]


def _previous(tasks: Sequence[Task]) -> list[Source]:
    """Of each slot the container that ended last, whichever of the slot's tasks it belonged to."""
    last: dict[tuple[str, int], tuple[float, Source]] = {}
    for task in sorted(tasks, key=lambda task: (task.service_key, task.slot, task.created_at, task.id)):
        for at, container in _ended(task):
            before, _ = last.get((task.service_key, task.slot), (at, None))
            if at >= before:
                last[task.service_key, task.slot] = at, (task, container)
    return [source for _, source in last.values()]


def _ended(task: Task) -> list[tuple[float, str]]:
    """When the task's containers ended, oldest first; its own last one too where the whole task has.

    The time is 0 for one that went unseen: it was removed, and is no longer there to be read.
    """
    past = [(attempt.ended_at, attempt.container_id) for attempt in task.past if attempt.container_id]
    if task.ended and task.container_id and task.container_id not in [container for _, container in past]:
        past.append((max([task.since, *(at for at, _ in past)]), task.container_id))
    return past


@dataclass(slots=True)
class _Reader:
    """Reads containers. One that cannot be read does not keep the others from being read: it is told of at the end."""

    backend: Backend
    query: LogQuery
    failures: list[EngineFailed] = field(default_factory=list)

    async def lines(self, task: Task, container: str) -> AsyncGenerator[Line, None]:
        """A container's lines one by one."""
        async with aclosing(self.read(task, container)) as batches:
            async for lines in batches:
                for line in lines:
                    yield line

    async def read(self, task: Task, container: str, *, whole: bool = False) -> AsyncGenerator[list[Line], None]:
        """A container's lines, as many at a time as are there: what the query asks for, or the whole of it."""
        tail, since = (None, 0.0) if whole else (self.query.tail, self.query.since)
        try:
            logs = self.backend.logs(task, container, follow=self.query.follow, tail=tail, since=since)
            async with aclosing(logs) as batches:
                async for lines in batches:
                    yield [Line.of(task, line) for line in lines]
        except EngineFailed as error:
            self.failures.append(error)

    def conclude(self) -> None:
        """Raise the first failure, so that the stream's last line says that something is missing."""
        if self.failures:
            raise self.failures[0]


async def _emit_past(reader: _Reader, sources: Sequence[Source], emit: Emit) -> None:
    rows: list[Row] = []
    async with aclosing(merged([reader.lines(task, container) for task, container in sources])) as lines:
        async for line in lines:
            rows.append(_row(line))
            if len(rows) == AT_ONCE:
                await emit(*rows)
                rows.clear()
    if rows:
        await emit(*rows)
    reader.conclude()


class _Tail:
    """Follows containers as they come and go, until no other can follow them."""

    def __init__(self, reader: _Reader, select: Select, emit: Emit) -> None:
        self._reader = reader
        self._select = select
        self._emit = emit
        self._seen: set[str] = set()

    async def run(self) -> None:
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
                if not isinstance(message, Committed):
                    continue
                selection = self._select(message.state)
                for task, container in _present(selection.tasks):
                    if container not in self._seen:
                        self._seen.add(container)
                        readers.start_soon(self._read, task, container, late, send.clone())
                late = True
                if not selection.lasting:
                    return

    async def _read(self, task: Task, container: str, late: bool, send: MemoryObjectSendStream[list[Line]]) -> None:
        async with send, aclosing(self._reader.read(task, container, whole=late)) as batches:
            async for lines in batches:
                await send.send(lines)

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
        waiting = map(_row, lines)
        while rows := list(islice(waiting, AT_ONCE)):
            await self._emit(*rows)


def _row(line: Line) -> Row:
    return {
        "task": line.task.name,
        "task_id": line.task.id,
        "at": line.at,
        "stream": line.stream,
        "text": line.text,
    }
