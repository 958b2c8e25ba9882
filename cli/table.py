"""Aligned columns that fit the terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Row = Mapping[str, Any]
R = TypeVar("R", bound=Row)
Shown = TypeVar("Shown", bound=Row, contravariant=True)

GAP = "  "
NARROWEST = 8


@dataclass(frozen=True, slots=True)
class Column(Generic[Shown]):
    """One column of a kind of rows. `cell` gives a row's text.

    A `flexible` column is cut where the table is wider than the terminal: at its end, or with `keeps_end` at its
    beginning, where all rows are alike.
    """

    title: str
    cell: Callable[[Shown], object]
    flexible: bool = False
    keeps_end: bool = False


def column(title: str, key: str, *, flexible: bool = False, keeps_end: bool = False) -> Column[Row]:
    """A column of a row's plain field; a list is joined by commas, and what is empty is a dash."""
    return Column(title, lambda row: row.get(key), flexible, keeps_end)


def render(rows: Iterable[R], columns: Sequence[Column[R]], width: int | None = None) -> str:
    """The rows under their titles, a line each, cut to `width` cells: flexible columns first, then the line's end."""
    lines = [[item.title for item in columns]]
    lines += [[_text(item.cell(row)) for item in columns] for row in rows]
    widths = [max(cells(line[place]) for line in lines) for place in range(len(columns))]
    if width is not None:
        _squeeze(widths, columns, width)
    shown = [_line(line, widths, () if place == 0 else columns) for place, line in enumerate(lines)]
    return "\n".join(shown if width is None else [cut(line, width) for line in shown])


def cells(text: str) -> int:
    """How many terminal cells a text takes: two for a wide character, none for a combining one."""
    if text.isascii():
        return len(text)
    return sum(_cells_of(char) for char in text)


def cut(text: str, width: int) -> str:
    """`text`, or as much of it as fits `width` cells with an ellipsis."""
    if cells(text) <= width:
        return text
    kept, used = [], 1
    for char in text:
        used += _cells_of(char)
        if used > width:
            break
        kept.append(char)
    return "".join(kept) + "…"


def cut_before(text: str, width: int) -> str:
    """`text`, or as much of its end as fits `width` cells behind an ellipsis."""
    return cut(text[::-1], width)[::-1] if cells(text) > width else text


def printable(text: str) -> str:
    """`text` on one line, with control characters escaped: names and messages may come from a hostile container."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        value = ", ".join(str(item) for item in value)
    return printable(str(value)) if value not in (None, "") else "-"


def _cells_of(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _squeeze(widths: list[int], columns: Sequence[Column[Any]], width: int) -> None:
    """Take the excess from the widest flexible column, again and again."""
    excess = sum(widths) + len(GAP) * (len(widths) - 1) - width
    flexible = [place for place, item in enumerate(columns) if item.flexible]
    while excess > 0 and flexible:
        widest = max(flexible, key=lambda place: widths[place])
        if widths[widest] <= NARROWEST:
            return
        widths[widest] -= 1
        excess -= 1


def _line(texts: Sequence[str], widths: Sequence[int], columns: Sequence[Column[Any]]) -> str:
    padded = []
    for place, (text, width) in enumerate(zip(texts, widths, strict=True)):
        shown = cut_before(text, width) if columns and columns[place].keeps_end else cut(text, width)
        padded.append(shown + " " * (width - cells(shown)))
    return GAP.join(padded).rstrip()
