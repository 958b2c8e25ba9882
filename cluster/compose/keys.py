"""The keys of the compose specification, and what becomes of each here.

A table maps each key of one level of the file to the reader of its value, or to the reason why it is not read. A key
that is in no table is not of the specification: an error, with the likeliest key that was meant. `x-` keys are the
person's own, at every level.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

from cluster.compose.findings import quote
from cluster.compose.value import Value


class Unread(Enum):
    """Why a key of the specification has no reader."""

    LATER = "is not supported yet and has no effect"
    IGNORED = "has no effect here"
    REFUSED = "is not supported yet, and the stack would not be what the file says without it"


@dataclass(frozen=True, slots=True)
class Fact:
    """A key that is not read, with advice of its own."""

    why: Unread
    hint: str


Reader: TypeAlias = Callable[[Value], Any]
Table: TypeAlias = Mapping[str, Reader | Unread | Fact]


def later(*keys: str) -> dict[str, Reader | Unread | Fact]:
    """Table rows of keys that a later release reads."""
    return dict.fromkeys(keys, Unread.LATER)


def read(value: Value, table: Table) -> dict[str, Any]:
    """The map `value` read by `table`: what each reader made of its key, for the keys that are present and good.

    A key whose value is null counts as absent. What was refused, unknown or unread is in the report.
    """
    results: dict[str, Any] = {}
    for key, child in value.entries().items():
        row = table.get(key)
        if row is None:
            _unknown(key, child, value, table)
        elif isinstance(row, Unread | Fact):
            _unread(key, child, value, row)
        elif not child.is_null:
            result = child.attempt(row)
            if result is not None:
                results[key] = result
    return results


def _unknown(key: str, child: Value, parent: Value, table: Table) -> None:
    if key.startswith("x-"):
        return
    close = difflib.get_close_matches(key[:64], table, n=1, cutoff=0.7)
    hint = f"did you mean {quote(close[0])}?" if close else "keys of your own begin with x-"
    place = parent.key_place(key)
    parent.report.error(place, child.path, "unknown key", hint, "unknown-key")


def _unread(key: str, child: Value, parent: Value, row: Unread | Fact) -> None:
    why, hint = (row.why, row.hint) if isinstance(row, Fact) else (row, "")
    place = parent.key_place(key)
    if why is Unread.REFUSED:
        parent.report.error(place, child.path, why.value, hint, "unsupported")
    else:
        parent.report.warn(place, child.path, why.value, hint, "unsupported" if why is Unread.LATER else "ignored")
