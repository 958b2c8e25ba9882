"""One line for each task while a person waits: redrawn in place on a terminal, a line for each change elsewhere."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TextIO

from cli.colour import colours, draws
from cli.table import cells, cut, printable

UP = "\x1b[{}A"
CLEAR_LINE = "\x1b[2K"
CLEAR_BELOW = "\x1b[J"
COLOURS = {"good": "\x1b[32m", "bad": "\x1b[31m", "": ""}
PLAIN = "\x1b[0m"
SHORTEST_NAME = 14


@dataclass(frozen=True, slots=True)
class Line:
    """What is said of one task. `mood` is `good` (nothing to wait for), `bad`, or empty."""

    name: str
    state: str
    note: str = ""
    mood: str = ""

    def text(self, width: int) -> str:
        """The line with its name padded to `width` cells."""
        note = f": {self.note}" if self.note else ""
        return printable(f"{self.name}{' ' * (width - cells(self.name))}  {self.state}{note}")


class Display(Protocol):
    """Where the lines of a deploy are shown."""

    def show(self, lines: Sequence[Line]) -> None:
        """Make these the lines that are seen."""

    def close(self) -> None:
        """Leave what is seen, and the cursor below it."""


def display_for(stream: TextIO) -> Display:
    """Lines in place on a terminal, one after the other into anything else."""
    return LiveLines(stream) if draws(stream) else ChangedLines(stream)


class LiveLines:
    """Redraws its block of lines in place. On a low terminal, lines with nothing to wait for are only counted."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._coloured = colours(stream)
        self._drawn = 0
        self._last: list[str] = []

    def show(self, lines: Sequence[Line]) -> None:
        """Draw the lines over those drawn before; nothing is written where nothing changed."""
        columns, rows = shutil.get_terminal_size()
        fitting = _fitting(lines, rows - 1)
        width = max([SHORTEST_NAME, *(cells(line.name) for line in fitting)])
        drawn = [_drawn(line, columns, width, self._coloured) for line in fitting]
        if drawn == self._last:
            return
        up = UP.format(self._drawn) if self._drawn else ""
        self._stream.write(f"\r{up}{''.join(f'{CLEAR_LINE}{line}{chr(10)}' for line in drawn)}{CLEAR_BELOW}")
        self._stream.flush()
        self._drawn, self._last = len(drawn), drawn

    def close(self) -> None:
        """The block stays; the next one is drawn below it."""
        self._drawn, self._last = 0, []


class ChangedLines:
    """Writes a line whenever a task's words changed: for logs and pipes. A figure that only grows is not a change."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._said: dict[str, str] = {}

    def show(self, lines: Sequence[Line]) -> None:
        """Write those lines that say something new."""
        for line in lines:
            words = _without_figures(f"{line.state}: {line.note}")
            if self._said.get(line.name) != words:
                self._said[line.name] = words
                print(line.text(0), file=self._stream, flush=True)

    def close(self) -> None:
        """Nothing is left to do."""


def _fitting(lines: Sequence[Line], room: int) -> Sequence[Line]:
    """All lines, or those to wait for and a count of the others, never more than `room`."""
    if len(lines) <= room:
        return lines
    waiting = [line for line in lines if line.mood != "good"]
    shown = waiting[: max(0, room - 1)]
    hidden = len(waiting) - len(shown)
    more = f"{hidden} more to wait for" if hidden else ""
    return [*shown, Line("...", f"{len(lines) - len(waiting)} tasks are well", more)]


def _drawn(line: Line, columns: int, width: int, coloured: bool) -> str:
    text = cut(line.text(width), columns - 1)
    colour = COLOURS[line.mood] if coloured else ""
    return f"{colour}{text}{PLAIN}" if colour else text


def _without_figures(text: str) -> str:
    return "".join(char for char in text if not char.isdigit())
