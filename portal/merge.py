"""Lines of several containers, brought into the order of time."""

from __future__ import annotations

import heapq
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field

from cluster.model import Task
from portal.backend import LogLine

WINDOW = 0.2
MOST_HELD = 5_000


@dataclass(frozen=True, slots=True)
class Line:
    """A line and the task that wrote it."""

    task: Task
    at: str
    stream: str
    text: str

    @classmethod
    def of(cls, task: Task, line: LogLine) -> Line:
        """A container's line with the task that it belongs to."""
        return cls(task, line.at, line.stream, line.text)

    @property
    def moment(self) -> str:
        """What orders lines. Without its zone a time stamp of fewer digits still sorts before one of more."""
        return self.at.rstrip("Z")


async def merged(sources: Sequence[AsyncGenerator[Line, None]]) -> AsyncGenerator[Line, None]:
    """All lines of sources that are each in order, in order; holds one line of each, and closes them all at its end."""
    async with AsyncExitStack() as opened:
        for source in sources:
            await opened.enter_async_context(aclosing(source))
        heads = [
            (line.moment, number, line) for number, line in enumerate([await anext(s, None) for s in sources]) if line
        ]
        heapq.heapify(heads)
        while heads:
            _, number, line = heads[0]
            yield line
            following = await anext(sources[number], None)
            if following is None:
                heapq.heappop(heads)
            else:
                heapq.heapreplace(heads, (following.moment, number, following))


@dataclass(slots=True)
class Reorder:
    """Lines that arrive live, held for a moment so that those of several machines come out in order.

    Pure: `now` is any clock in seconds. A line later than the window is let through out of order rather than lost,
    and so are the oldest of more than `most`. Lines of one task stay as they came, whatever their time stamps say.
    """

    window: float = WINDOW
    most: int = MOST_HELD
    _held: list[tuple[str, int, float, Line]] = field(default_factory=list)
    _arrived: int = 0
    _latest: dict[str, str] = field(default_factory=dict)

    def push(self, line: Line, now: float) -> None:
        """Hold a line that has just arrived."""
        if not self._held:
            self._latest.clear()
        moment = self._latest[line.task.id] = max(line.moment, self._latest.get(line.task.id, ""))
        heapq.heappush(self._held, (moment, self._arrived, now, line))
        self._arrived += 1

    def due(self, now: float) -> Iterable[Line]:
        """The lines whose time has come, in order."""
        while self._held and (len(self._held) > self.most or now - self._held[0][2] >= self.window):
            yield heapq.heappop(self._held)[3]

    def wait(self, now: float) -> float | None:
        """Seconds until the next line is due; None where none is held."""
        return max(0.0, self._held[0][2] + self.window - now) if self._held else None

    def rest(self) -> Iterable[Line]:
        """All that is held, in order: nothing more will arrive."""
        while self._held:
            yield heapq.heappop(self._held)[3]
