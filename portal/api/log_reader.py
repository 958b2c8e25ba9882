"""What is asked of containers' output, and how one container's is read."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime

from starlette.requests import Request

from cluster.model import State, Task
from portal.api.endpoint import Query
from portal.api.problems import Problem
from portal.api.requests import flag, number, whole
from portal.backend import Backend, EngineFailed
from portal.merge import Line
from portal.rows import present
from portal.shapes import LogRow

# A line costs little, and a part of a response much: so many lines are sent as one where they are there.
AT_ONCE = 500
# The last lines before a time are kept, of all containers, until that is found.
MOST_KEPT = 100_000
LAST_MOMENT = datetime(9999, 12, 31, tzinfo=UTC).timestamp()

LOGS = (
    Query("follow", "go on with what is written from now on", "flag"),
    Query("previous", "of the container before, which has ended", "flag"),
    Query("tail", "the last lines alone, so many of each container", "whole"),
    Query("since", "what was written from this time on, in seconds since the epoch", "number"),
    Query("until", "what was written before this time, in seconds since the epoch", "number"),
)

Source = tuple[Task, str]


@dataclass(frozen=True, slots=True)
class Selection:
    """The tasks that are asked about; `lasting` says that others may follow them."""

    tasks: Sequence[Task]
    lasting: bool


Select = Callable[[State], Selection]


@dataclass(frozen=True, slots=True)
class LogQuery:
    """What of each container's output is wanted. `since` and `until` are in seconds since the epoch; 0 is no end."""

    follow: bool = False
    previous: bool = False
    tail: int | None = None
    since: float = 0.0
    until: float = 0.0

    @classmethod
    def of(cls, request: Request) -> LogQuery:
        """The query in a request's parameters."""
        parameters = request.query_params
        since = number(parameters, "since", 0.0) or 0.0
        until = number(parameters, "until", 0.0) or 0.0
        query = cls(flag(request, "follow"), flag(request, "previous"), whole(parameters, "tail"), since, until)
        if query.follow and query.previous:
            raise Problem("invalid", "a container that has ended writes nothing more: leave out follow or previous")
        if query.follow and query.until:
            raise Problem("invalid", "what is followed has no end: leave out follow or until")
        return query


def sources(tasks: Sequence[Task]) -> list[Source]:
    """The containers of the present tasks."""
    return [(task, task.container_id) for task in present(tasks) if task.container_id]


@dataclass(slots=True)
class Reader:
    """Reads containers. One that cannot be read does not keep the others from being read: it is told of at the end."""

    backend: Backend
    query: LogQuery
    failures: list[EngineFailed] = field(default_factory=list)

    async def lines(self, task: Task, container: str) -> AsyncGenerator[Line, None]:
        """What the query asks for of a container's lines, one by one. A failure is kept for the end."""
        query = self.query
        try:
            async with aclosing(self.read(task, container, query.tail, query.since)) as batches:
                async for lines in batches:
                    for line in lines:
                        yield line
        except EngineFailed as error:
            self.failures.append(error)

    async def read(
        self, task: Task, container: str, tail: int | None, since: float
    ) -> AsyncGenerator[list[Line], None]:
        """A container's lines, as many at a time as are there. Raises EngineFailed."""
        if not self.query.until:
            logs = self.backend.logs(task, container, follow=self.query.follow, tail=tail, since=since)
            async with aclosing(logs) as batches:
                async for lines in batches:
                    yield [Line.of(task, line) for line in lines]
            return
        async with aclosing(self._read_until(task, container, since)) as before:
            if tail is None:
                async for found in before:
                    yield found
                return
            kept = deque[Line](maxlen=tail)  # the engine would count them from its own end
            async for found in before:
                kept += found
            yield list(kept)

    async def _read_until(self, task: Task, container: str, since: float) -> AsyncGenerator[list[Line], None]:
        end = datetime.fromtimestamp(min(self.query.until, LAST_MOMENT), UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
        async with aclosing(self.backend.logs(task, container, follow=False, tail=None, since=since)) as batches:
            async for lines in batches:
                found = [Line.of(task, line) for line in lines]
                yield [line for line in found if line.moment < end]
                if found and found[-1].moment >= end:
                    return

    def conclude(self) -> None:
        """Raise the first failure, so that the stream's last line says that something is missing."""
        if self.failures:
            raise self.failures[0]


def line_row(line: Line) -> LogRow:
    """A line as the API has it."""
    return {
        "task": line.task.name,
        "task_id": line.task.id,
        "at": line.at,
        "stream": line.stream,
        "text": line.text,
    }
