"""Waiting for machines to be empty, with every task in sight that has not left yet, and what it waits for."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cli.errors import CliError, Unreachable
from cli.follow import PATIENCE, TICK, TimedOut
from cli.live import Display, Line, display_for

if TYPE_CHECKING:
    from portal.shapes import LeaverRow

STUCK_FOR = 10.0
NAMED = 3


class Stuck(CliError):
    """What is left waits for something that only a person can mend."""


@dataclass(slots=True)
class Emptying:
    """Follows what leaves. `remaining` asks for the tasks that have not left.

    `patience` is for how long a manager that went away is waited for, in seconds.
    """

    remaining: Callable[[], Sequence[LeaverRow]]
    display: Display
    patience: float = PATIENCE
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    _shown: dict[str, Line] = field(default_factory=dict)
    _stuck_since: float | None = None

    def wait(self, timeout: float | None = None) -> None:
        """Return once nothing is left.

        Raises Stuck when for 10 s nothing has been left that leaves by itself, TimedOut, and Unreachable when the
        manager stays away.
        """
        began, heard = self.clock(), self.clock()
        try:
            while True:
                try:
                    rows, heard = self.remaining(), self.clock()
                except Unreachable:
                    if self.clock() - heard >= self.patience:
                        raise
                    self._draw([Line("...", "the manager does not answer, waiting for it")])
                else:
                    self._take(rows)
                    if not rows:
                        return
                    self._give_up_on(rows)
                if timeout is not None and self.clock() - began >= timeout:
                    raise TimedOut(f"not all tasks have left after {timeout:g} s")
                self.sleep(TICK)
        finally:
            self.display.close()

    def _take(self, rows: Sequence[LeaverRow]) -> None:
        there = {
            row["id"]: Line(row["task"], row["state"], row["words"], "bad" if row["stuck"] else "") for row in rows
        }
        left = {id: Line(line.name, "left", mood="good") for id, line in self._shown.items() if id not in there}
        self._shown |= left | there
        self._draw([])

    def _give_up_on(self, rows: Sequence[LeaverRow]) -> None:
        """A moment's trouble ends nothing: what is stuck may come loose when another node is ready again."""
        if not all(row["stuck"] for row in rows):
            self._stuck_since = None
            return
        now = self.clock()
        self._stuck_since = now if self._stuck_since is None else self._stuck_since
        if now - self._stuck_since >= STUCK_FOR:
            raise Stuck(_told(rows))

    def _draw(self, more: list[Line]) -> None:
        if self._shown or more:
            self.display.show([*self._shown.values(), *more])


def _told(rows: Sequence[LeaverRow]) -> str:
    each = [f"{row['task']}: {row['words']}" for row in rows[:NAMED]]
    each += [f"{len(rows) - NAMED} more"] if len(rows) > NAMED else []
    way = "mend that, or remove what is to run no more; `gbnt node update NODE --availability active` takes it all back"
    return f"what is left cannot leave by itself ({'; '.join(each)}): {way}"


def wait_until_empty(remaining: Callable[[], Sequence[LeaverRow]], words: str, timeout: float | None = None) -> None:
    """Show what leaves on the standard error until nothing is left.

    Ctrl-C ends the watching alone; `words` say then what becomes of the rest.
    """
    try:
        Emptying(remaining, display_for(sys.stderr)).wait(timeout)
    except (KeyboardInterrupt, Stuck, TimedOut, Unreachable) as error:
        print(f"\nno longer watching; {words}", file=sys.stderr)
        raise error from None
