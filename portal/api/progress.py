"""Follows a stack until it is settled, a line for each change."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import anyio

from actors.protocol import GetState, Progress
from cluster import progress
from cluster.model import State, Task
from portal.api.lines import Emit
from portal.api.problems import Problem
from portal.api.requests import READ_TIMEOUT, expected
from portal.backend import Backend, EngineFailed, Told
from portal.rows import is_wanted, task_row
from portal.shapes import StackProgress, TaskRow
from supervisor.errors import ActorError

LAST_LINES = 20
# How often a stack that runs is looked at until it is believed, in seconds.
LOOK_EVERY = 1.0


@dataclass(slots=True)
class _View:
    """What the client was last shown of the stack, so that it is told only of changes."""

    stack: str
    state: State = field(default_factory=State)
    tasks: list[Task] = field(default_factory=list)
    problem: str = ""
    watched: str = ""
    pulls: dict[str, Progress] = field(default_factory=dict)

    def take(self, news: State | Progress) -> bool:
        """Whether the news change what there is to see."""
        if isinstance(news, Progress):
            self.pulls[news.task] = news
            return any(task.id == news.task for task in self.tasks)
        self.state = news
        before = self.tasks, self.problem
        self.tasks, self.problem = _wanted(news, self.stack), progress.obstacle(news, self.stack)
        preparing = {task.id for task in self.tasks if task.state in ("pending", "assigned", "preparing")}
        self.pulls = {task: pull for task, pull in self.pulls.items() if task in preparing}
        return before != (self.tasks, self.problem)

    def watch(self, why: str) -> bool:
        """Whether it is news why the stack is only watched; empty where it is not."""
        before, self.watched = self.watched, why
        return before != why

    def line(self) -> StackProgress:
        """The wanted tasks as they are, what a person has to mend for the stack itself, and why it is only watched."""
        rows = [self._row(task) for task in self.tasks]
        return {
            "type": "tasks",
            "revision": self.state.revision,
            "tasks": rows,
            "problem": self.problem,
            "watched": self.watched,
        }

    def _row(self, task: Task) -> TaskRow:
        row, pull = task_row(self.state, task), self.pulls.get(task.id)
        return row if pull is None else {**row, "progress": {"message": pull.message, "fraction": pull.fraction}}


def _wanted(state: State, stack: str) -> list[Task]:
    return [task for task in state.tasks_in(stack) if is_wanted(task)]


async def follow_stack(backend: Backend, stack: str, after: int, emit: Emit) -> None:
    """Emit the stack's wanted tasks at each change, and last the verdict. Looks at no state before revision `after`."""
    view = _View(stack)
    async with backend.follow() as messages:
        verdict = await _settle(view, messages, after, emit, backend)
    await emit(await _verdict_line(backend, view.state, verdict))


async def _settle(
    view: _View, messages: AsyncIterator[Told | Progress], after: int, emit: Emit, backend: Backend
) -> progress.Converged | progress.Failed | progress.Removed:
    async for message in messages:
        news = message.state if isinstance(message, Told) else message
        if news is None or (isinstance(news, State) and news.revision < max(after, view.state.revision)):
            continue
        if view.take(news):
            await emit(view.line())
        if isinstance(news, State):
            verdict = progress.verdict(news, view.stack)
            if isinstance(verdict, progress.Converged):
                verdict = await _believed(view, verdict, emit, backend)
            if not isinstance(verdict, progress.Waiting):
                return verdict
    raise Problem("unavailable", f"the manager stops; what becomes of {view.stack} is seen when it is back")


async def _believed(view: _View, verdict: progress.Verdict, emit: Emit, backend: Backend) -> progress.Verdict:
    """The verdict once what runs may be believed. The Senate is asked meanwhile; what it tells waits to be read.

    What was started again meanwhile is given its time too. A start that seems to lie ahead is one from before the clock
    was set back: nobody waits for that.
    """
    known, until = None, 0.0
    while isinstance(verdict, progress.Converged):
        starts = progress.starts(view.state, view.stack)
        if starts != known:
            known, until = starts, anyio.current_time() + progress.SETTLING
        now = backend.clock()
        pause = min(progress.settled_at(view.state, view.stack) - now, until - anyio.current_time())
        if pause <= 0:
            break
        if view.watch(progress.watched(view.state, view.stack, now)):
            await emit(view.line())
        await anyio.sleep(min(pause, LOOK_EVERY))
        try:
            answer = await backend.ask("senate", GetState(), READ_TIMEOUT)
        except ActorError:
            continue  # it is started again just now: the next look finds it
        state = expected(answer, State)
        if view.take(state):
            await emit(view.line())
        verdict = progress.verdict(state, view.stack)
    if view.watch(""):
        await emit(view.line())
    return verdict


async def _verdict_line(
    backend: Backend, state: State, verdict: progress.Converged | progress.Failed | progress.Removed
) -> StackProgress:
    line: StackProgress = {"type": "verdict", "verdict": type(verdict).__name__.lower(), "reason": verdict.reason}
    if not isinstance(verdict, progress.Failed):
        return {**line, "task": None, "logs": []}
    task = state.tasks.get(verdict.task or "")
    return {**line, "task": verdict.task, "logs": await _last_words(backend, task) if task else []}


async def _last_words(backend: Backend, task: Task) -> list[Mapping[str, str]]:
    """The end of what the task wrote last: of the newest container that ended and has a word to say.

    One that has just ended may be on its way out, so the others are asked too, and last the one that follows.
    """
    ended = [attempt.container_id for attempt in reversed(task.past)]
    for container in dict.fromkeys((*ended, task.container_id)):
        lines = await _lines(backend, task, container) if container else []
        if lines:
            return lines
    return []


async def _lines(backend: Backend, task: Task, container: str) -> list[Mapping[str, str]]:
    try:
        logs = backend.logs(task, container, follow=False, tail=LAST_LINES, since=0.0)
        return [{"at": line.at, "stream": line.stream, "text": line.text} async for lines in logs for line in lines]
    except EngineFailed:
        return []
