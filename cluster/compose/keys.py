"""The keys of the compose specification, and what becomes of each here.

A table maps each key of one level of the file to the reader of its value, or to the reason why it is not read. A key
that is in no table is not of the specification: an error, with the likeliest key that was meant. `x-` keys are the
person's own, at every level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any, TypeAlias

from cluster.compose.findings import quote
from cluster.compose.report import Refused
from cluster.compose.value import Value


class Unread(Enum):
    """Why a key of the specification has no reader."""

    LATER = "not supported yet: it has no effect"
    IGNORED = "has no effect here"
    REFUSED = "not supported yet, and without it the stack would not be what the file says"


@dataclass(frozen=True, slots=True)
class Fact:
    """A key that is not read, with advice of its own."""

    why: Unread
    hint: str


Reader: TypeAlias = Callable[[Value], Any]
Table: TypeAlias = Mapping[str, Reader | Unread | Fact]


NOTHING: Mapping[str, str] = MappingProxyType({})


def later(*keys: str) -> dict[str, Reader | Unread | Fact]:
    """Table rows of keys that a later release reads."""
    return dict.fromkeys(keys, Unread.LATER)


def unheeded(reader: Reader) -> Reader:
    """A reader that checks and keeps a value which nothing acts on yet, and says so."""

    def read_and_say(value: Value) -> Any:
        result = reader(value)
        value.warn(Unread.LATER.value, code="unsupported")
        return result

    return read_and_say


def read(value: Value, table: Table, required: Mapping[str, str] = NOTHING) -> dict[str, Any]:
    """The map `value` read by `table`: what each reader made of its key, for the keys that are present and good.

    A key whose value is null counts as absent. `required` maps keys to a hint: without any of them good, or with a
    key that cannot be left unread, the whole value is `Refused`. All else that is wrong is in the report.
    """
    results: dict[str, Any] = {}
    obstacles: list[Refused] = []
    for key, child in value.entries().items():
        row = table.get(key)
        if row is None:
            _unknown(key, child, value, table)
        elif isinstance(row, Unread | Fact):
            obstacles.extend(_unread(key, child, value, row))
        elif not child.is_null:
            result = row(child) if key in required else child.attempt(row)
            if result is not None:
                results[key] = result
    if obstacles:
        raise obstacles[0]
    for key, hint in required.items():
        if key not in results:
            raise value.refuse(f"has no {key}", hint, "missing")
    return results


def _unknown(key: str, child: Value, parent: Value, table: Table) -> None:
    if key.startswith("x-"):
        return
    import difflib  # only for a file that is wrong

    close = difflib.get_close_matches(key[:64], table, n=1, cutoff=0.7)
    hint = f"did you mean {quote(close[0])}?" if close else "keys of your own begin with x-"
    parent.report.error(parent.key_place(key), child.path, "unknown key", hint, "unknown-key")


def _unread(key: str, child: Value, parent: Value, row: Unread | Fact) -> Iterator[Refused]:
    why, hint = (row.why, row.hint) if isinstance(row, Fact) else (row, "")
    place = parent.key_place(key)
    if why is Unread.REFUSED:
        yield Refused(parent.report.finding(place, child.path, why.value, hint, "unsupported"))
    else:
        parent.report.warn(place, child.path, why.value, hint, "unsupported" if why is Unread.LATER else "ignored")
