"""Waiting for a stack to become what was asked, with every task in sight."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cli.client import Client
from cli.errors import CliError, Unreachable
from cli.feed import ticking
from cli.live import Display, Line, display_for
from cli.task_words import is_bad, is_good, note, short_name, state

if TYPE_CHECKING:
    from portal.shapes import StackProgress, TaskRow

TICK = 1.0
PATIENCE = 60.0


class TimedOut(CliError):
    """The person's own deadline passed before the stack was settled."""


@dataclass(slots=True)
class Follower:
    """Follows one stack from a revision on. `patience` is for how long a manager that went away is waited for."""

    client: Client
    stack: str
    revision: int
    display: Display
    patience: float = PATIENCE
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    _tasks: list[TaskRow] = field(default_factory=list)
    _problem: str = ""
    _watched: str = ""

    def verdict(self, timeout: float | None = None) -> StackProgress:
        """The last line of the stack's progress: `verdict`, `reason`, `task` and `logs`.

        Raises TimedOut after `timeout` seconds, and Unreachable when the manager stays away; either way what was asked
        for goes on.
        """
        deadline = None if timeout is None else self.clock() + timeout
        try:
            for row in self._rows(deadline):
                if row is not None and row["type"] == "verdict":
                    return row
                if row is not None:
                    self._tasks, self._problem = row["tasks"], row.get("problem", "")
                    self._watched = row.get("watched", "")
                self._draw()
                if deadline is not None and self.clock() >= deadline:
                    raise TimedOut(f"{self.stack} is not settled after {timeout:g} s")
        finally:
            self.display.close()
        raise Unreachable(f"the manager said nothing of how {self.stack} ended; see `gbnt stack ps {self.stack}`")

    def _rows(self, deadline: float | None) -> Iterator[StackProgress | None]:
        """The progress, opened again where the connection breaks: a manager may be restarted under a deploy."""
        lost_at: float | None = None
        while True:
            try:
                for row in ticking(lambda: self.client.progress(self.stack, self.revision), TICK):
                    if row is not None:
                        lost_at = None
                    yield row
            except Unreachable:
                lost_at = lost_at or self.clock()
                if self.clock() - lost_at >= self.patience:
                    raise
                self.display.show([Line(self.stack, "the manager does not answer, waiting for it")])
                self.sleep(TICK)
                yield None
                continue
            return

    def _draw(self) -> None:
        shown = lines(self._tasks, self.clock())
        if self._problem:
            shown.append(Line(self.stack, "is not gone", self._problem, "bad"))
        if self._watched:
            shown.append(Line(self.stack, "runs", self._watched))
        if shown:
            self.display.show(shown)


def settle(
    client: Client, stack: str, revision: int, *, timeout: float | None = None, wanted: str = "converged"
) -> None:
    """Wait as `watch` does. Ctrl-C ends the watching alone, and says so."""
    try:
        watch(client, stack, revision, timeout=timeout, wanted=wanted)
    except (KeyboardInterrupt, TimedOut, Unreachable) as error:
        print(f"\nno longer watching; what was asked for goes on: `gbnt stack ps {stack}` shows it", file=sys.stderr)
        raise error from None


def watch(
    client: Client, stack: str, revision: int, *, timeout: float | None = None, wanted: str = "converged"
) -> None:
    """Show a stack's tasks on the standard error until it is `wanted` (`converged` or `removed`).

    Raises CliError with the reason, the last lines of the task at fault and the next step where it ends otherwise.
    """
    verdict = Follower(client, stack, revision, display_for(sys.stderr)).verdict(timeout)
    if verdict["verdict"] != wanted:
        raise CliError(_failure(stack, verdict))


def _failure(stack: str, verdict: StackProgress) -> str:
    said = [f"  | {line['text']}" for line in verdict["logs"]]
    output = ["its last lines:", *said] if said else []
    look = f"gbnt task inspect {verdict['task'][:12]}" if verdict["task"] else f"gbnt stack ps {stack}"
    return "\n".join([str(verdict["reason"]), *output, f"see `{look}`"])


def lines(tasks: Iterable[TaskRow], now: float) -> list[Line]:
    """A line for each slot, by service. In a rollover a slot has two tasks for a while: the later one is shown."""
    latest = {(task["service"], task["slot"]): task for task in tasks}
    ordered = (task for _, task in sorted(latest.items()))
    return [Line(short_name(task), state(task, now), note(task), _mood(task)) for task in ordered]


def _mood(task: TaskRow) -> str:
    return "good" if is_good(task) else "bad" if is_bad(task) else ""
