"""What containers wrote, of one task or of all of a service, as it was or as it comes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing

from cluster.model import State, Task
from portal.api.lines import Emit, Lines
from portal.api.log_reader import AT_ONCE, MOST_KEPT, LogQuery, Reader, Select, Source, line_row, sources
from portal.api.problems import Problem
from portal.api.tail import Tail
from portal.backend import Backend
from portal.merge import merged
from portal.shapes import LogRow


def stream_logs(backend: Backend, state: State, select: Select, query: LogQuery) -> Lines:
    """The output of the selected tasks, merged by time; following, of those that come after them too."""
    reader = Reader(backend, query)
    if query.follow:
        return Lines(lambda emit: Tail(reader, select, emit).run())
    tasks = select(state).tasks
    chosen = _previous(tasks) if query.previous else sources(tasks)
    if query.previous and not chosen:
        raise Problem("not_found", "there is no earlier container: nothing of this has ended yet, or it was cleaned up")
    if query.until and (query.tail or 0) * len(chosen) > MOST_KEPT:
        text = f"the last {query.tail} lines of {len(chosen)} containers before a time are more than {MOST_KEPT}"
        raise Problem("invalid", f"{text}: ask for fewer, or say since in the place of tail")
    return Lines(lambda emit: _emit_past(reader, chosen, emit))


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


async def _emit_past(reader: Reader, chosen: Sequence[Source], emit: Emit) -> None:
    rows: list[LogRow] = []
    async with aclosing(merged([reader.lines(task, container) for task, container in chosen])) as lines:
        async for line in lines:
            rows.append(line_row(line))
            if len(rows) == AT_ONCE:
                await emit(*rows)
                rows.clear()
    if rows:
        await emit(*rows)
    reader.conclude()
