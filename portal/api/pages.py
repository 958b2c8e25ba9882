"""What of a list is wanted: filtered, selected, sorted, page by page. Pure.

A page begins after the last row of the one before by what that row is sorted by, not by its number: a row that is there
all the time is in exactly one page, whatever comes and goes between two of them.
"""

from __future__ import annotations

import base64
import binascii
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import total_ordering
from typing import Any

import orjson

from portal.api.selectors import Requirement, selects

Row = Mapping[str, Any]


class BadList(ValueError):
    """What is asked of a list cannot be had. The exception's own text says why."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition of one field: a list has the value as an item. A value may have stars."""

    field: str
    value: str
    negated: bool = False

    @classmethod
    def of(cls, text: str) -> Filter:
        """The condition of a text as `status=ready` or `status!=down`. Raises BadList."""
        name, equals, value = text.partition("=")
        if not equals or not name.rstrip("!"):
            raise BadList(f'"{text}" is no filter: write it as FIELD=VALUE or FIELD!=VALUE')
        return cls(name.removesuffix("!").strip(), value.strip(), name.endswith("!"))

    def matches(self, row: Row) -> bool:
        """Whether the row's field is so, apart from the negation."""
        value = field_of(row, self.field)
        items = value if isinstance(value, list | tuple) else (value,)
        return any(is_like(_text(item), self.value) for item in items)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of a list. `sort` are names of fields, with `-` before those that go downwards."""

    filters: tuple[Filter, ...] = ()
    selector: tuple[Requirement, ...] = ()
    sort: tuple[str, ...] = ()
    limit: int | None = None
    after: tuple[Any, ...] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, where the next ones begin (empty after the last), and how many these are."""

    items: Sequence[Row]
    next: str = ""
    remaining: int = 0


def page(rows: Sequence[Row], wish: Wish, order: Sequence[str]) -> Page:
    """The wanted rows; `order` are the fields that tell each from all others, by which they are sorted at last."""
    by = [*wish.sort, *order]
    chosen = [row for row in rows if _wanted(row, wish)]
    places = sorted(Place.of(row, by) for row in chosen)
    if wish.after is not None:
        last = Place.at(wish.after, by)
        places = [place for place in places if last < place]
    shown = places if wish.limit is None else places[: wish.limit]
    left = len(places) - len(shown)
    cursor = _cursor(shown[-1].values) if left and shown else ""
    return Page([place.row for place in shown], cursor, left)


def opened(cursor: str, fields: int) -> tuple[Any, ...]:
    """The values that a cursor holds, of so many fields. Raises BadList."""
    try:
        values = orjson.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, binascii.Error):
        values = None
    if not isinstance(values, list) or len(values) != fields:
        raise BadList("this `continue` is of another list: begin again without it")
    return tuple(values)


def field_of(row: Row, name: str) -> Any:
    """A row's field; dots lead into objects, as `labels.tier` or `disk.free`."""
    head, _, rest = name.partition(".")
    value = row.get(head)
    while rest and isinstance(value, Mapping):
        if rest in value:  # a label's name may have dots
            return value[rest]
        head, _, rest = rest.partition(".")
        value = value.get(head)
    return None if rest else value


def is_like(text: str, pattern: str) -> bool:
    """Whether the whole text is as the pattern, in which each star is any text. It takes as long as both are."""
    first, *others = pattern.split("*")
    if not others:
        return text == pattern
    *inner, last = others
    at, end = len(first), len(text) - len(last)
    if at > end or not text.startswith(first) or not text.endswith(last):
        return False
    for part in inner:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A row's place among others."""

    values: tuple[Any, ...]
    downwards: tuple[bool, ...]
    row: Row = field(default_factory=dict)

    @classmethod
    def of(cls, row: Row, by: Sequence[str]) -> Place:
        """The place of a row in a list that is sorted so."""
        return cls.at(tuple(_plain(field_of(row, name.removeprefix("-"))) for name in by), by, row)

    @classmethod
    def at(cls, values: tuple[Any, ...], by: Sequence[str], row: Row | None = None) -> Place:
        """The place of these values."""
        return cls(values, tuple(name.startswith("-") for name in by), row or {})

    def __lt__(self, other: Place) -> bool:
        for mine, theirs, down in zip(self.values, other.values, self.downwards, strict=True):
            left, right = _rank(mine), _rank(theirs)
            if left != right:
                return (left > right) if down else (left < right)
        return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Place) and self.values == other.values


def _wanted(row: Row, wish: Wish) -> bool:
    if wish.selector and not selects(wish.selector, row.get("labels") or {}):
        return False
    # Several values of one field are alternatives, as Docker has it; of what must not be, none may be.
    wanted: dict[str, list[Filter]] = defaultdict(list)
    for one in wish.filters:
        if not one.negated:
            wanted[one.field].append(one)
        elif one.matches(row):
            return False
    return all(any(one.matches(row) for one in of_field) for of_field in wanted.values())


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _plain(value: Any) -> Any:
    """The value as a cursor can hold it."""
    return value if value is None or isinstance(value, str | int | float) else orjson.dumps(value).decode()


def _rank(value: Any) -> tuple[int, Any]:
    """What values of any kinds are compared by: none before numbers before texts."""
    if value is None:
        return 0, 0
    return (1, value) if isinstance(value, int | float) else (2, str(value))


def _cursor(values: tuple[Any, ...]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(values)).decode()
