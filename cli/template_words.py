"""What a template is made of: the fields of a row, the functions on them, and how a value is printed."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cli.errors import BadInput
from cli.table import Column, R, printable
from cli.words import age, clock_time, did_you_mean, size


@dataclass(frozen=True, slots=True)
class Function:
    """A function of a template, by its name and the number of values that it takes."""

    name: str
    takes: int
    run: Callable[..., object]

    def of(self, *values: object) -> object:
        """The result. Raises BadInput for what the function does not take."""
        try:
            return self.run(*values)
        except (TypeError, ValueError) as error:
            given = ", ".join(json.dumps(value, ensure_ascii=False)[:40] for value in values)
            raise BadInput(f"--format: {self.name} does not take {given}: {error}") from error


def plain(name: str) -> str:
    """A field's name without what people write it with: `ContainerName` and `container_name` are one."""
    return name.replace("_", "").replace(" ", "").lower()


def parted(name: str) -> str:
    """The words of a field's name: `Container Name` for `ContainerName`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name)


def field_of(row: R, names: Sequence[str], shown: Sequence[Column[R]]) -> object:
    """What the row has at that place; at the top the words of a column count where it has no such field.

    Raises BadInput for a field that there is not.
    """
    value: object = row
    for depth, name in enumerate(names):
        if not isinstance(value, Mapping):
            raise BadInput(f"--format: .{'.'.join(names[:depth])} has no fields, and so no {name}")
        key = next((key for key in value if key == name), None) or _key(value, name)
        if key is not None:
            value = value[key]
            continue
        columns = {plain(column.title): column for column in shown} if depth == 0 else {}
        if plain(name) not in columns:
            known = [*map(str, value), *(columns.keys() - {plain(str(key)) for key in value})]
            hint = did_you_mean(parted(name).lower().replace(" ", "_"), known)
            raise BadInput(f'--format: there is no field "{name}"{hint}; there are {", ".join(known)}')
        value = cell_text(columns[plain(name)].cell(row))
    return value


def cell_text(cell: object) -> str:
    """The words of a table's cell."""
    return ", ".join(map(str, cell)) if isinstance(cell, list | tuple) else "" if cell is None else str(cell)


def text_of(value: object) -> str:
    """A value as it is printed: texts as they are, nothing for none, and lists and objects as JSON."""
    if value is None:
        return ""
    return printable(value) if isinstance(value, str) else as_json(value)


def as_json(value: object) -> str:
    """Compact JSON, in which control characters are escaped: names and messages may come from a hostile container."""
    return printable(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _key(value: Mapping[Any, object], name: str) -> Any:
    return next((key for key in value if plain(str(key)) == plain(name)), None)


def _join(values: object, between: object) -> str:
    if not isinstance(values, list | tuple):
        raise TypeError("it takes a list, and the text between its items")
    return text_of(between).join(map(text_of, values))


def _index(values: object, place: object) -> object:
    """An item of a list, or an object's value, which is empty where it has none."""
    if isinstance(values, Mapping):
        return values.get(str(place), "")
    if isinstance(values, list) and isinstance(place, int):
        return values[place] if -len(values) <= place < len(values) else ""
    raise TypeError("it takes a list and a number, or an object and a text")


def _len(value: object) -> int:
    if not isinstance(value, str | list | Mapping):
        raise TypeError("it takes a text, a list or an object")
    return len(value)


def _bytes(value: object) -> str:
    if not isinstance(value, int | float):
        raise TypeError("it takes a size in bytes")
    return size(value)


def _truncate(value: object, length: object) -> str:
    if not isinstance(length, int) or length < 0:
        raise TypeError("it takes a text, and how much of it is kept")
    return text_of(value)[:length]


FUNCTIONS = {
    one.name: one
    for one in (
        Function("json", 1, as_json),
        Function("upper", 1, lambda value: text_of(value).upper()),
        Function("lower", 1, lambda value: text_of(value).lower()),
        Function("title", 1, lambda value: text_of(value).title()),
        Function("len", 1, _len),
        Function("join", 2, _join),
        Function("split", 2, lambda value, between: text_of(value).split(text_of(between) or None)),
        Function("index", 2, _index),
        Function("truncate", 2, _truncate),
        Function("since", 1, lambda moment: age(moment, time.time())),
        Function("time", 1, clock_time),
        Function("bytes", 1, _bytes),
    )
}
