"""The keys of the compose specification, and what becomes of each here.

A table maps each key of one level of the file to the reader of its value; a `Row` says besides that gbnt does not act
on the key. A key that is in no table is not of the specification: an error, with the likeliest key that was meant.
`x-` keys are the person's own, at every level.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any, TypeAlias

from cluster.compose.findings import quote
from cluster.compose.reading.value import Value
from cluster.compose.tree.nodes import Node, Scalar, Sequence
from cluster.nearness import nearest

Reader: TypeAlias = Callable[[Value], Any]
NOTHING: Mapping[str, str] = MappingProxyType({})
OWN = "x-"


class Fate(Enum):
    """What becomes of a key that is read, and that nothing acts on."""

    LATER = "not supported yet: without it the stack would not be what the file says"
    NEVER = "not supported on a cluster"
    IGNORED = "has no effect here"


@dataclass(frozen=True, slots=True)
class Row:
    """A key that is read and checked, and not acted on: it is warned of, or keeps the file from being deployed."""

    reader: Reader
    fate: Fate
    hint: str = ""


Table: TypeAlias = Mapping[str, Reader | Row]


def later(**readers: Reader) -> dict[str, Reader | Row]:
    """Rows of keys that a later release acts on."""
    return {key: Row(reader, Fate.LATER) for key, reader in readers.items()}


def never(reader: Reader, hint: str = "") -> Row:
    """A key that only makes sense where all containers are on one machine."""
    return Row(reader, Fate.NEVER, hint)


def ignored(reader: Reader, hint: str = "") -> Row:
    """A key that a stack is the same without."""
    return Row(reader, Fate.IGNORED, hint)


def read(value: Value, table: Table, required: Mapping[str, str] = NOTHING) -> dict[str, Any]:
    """The map `value` read by `table`: what each reader made of its key, for the keys that are present and good.

    A key whose value is null counts as absent. `required` maps keys to a hint: without all of them good the whole
    value is `Refused`. All else that is wrong is in the report.
    """
    results: dict[str, Any] = {}
    for key, child in value.entries().items():
        row = table.get(key)
        if row is None:
            if key.startswith(OWN):
                results[key] = plain(child.node)
            else:
                _unknown(key, child, value, table)
        elif not child.is_null:
            reader = row.reader if isinstance(row, Row) else row
            result = reader(child) if key in required else child.attempt(reader)
            if result is not None:
                results[key] = result
            if isinstance(row, Row):
                _tell(row, key, child, value)
    for key, hint in required.items():
        if key not in results:
            raise value.refuse(f"has no {key}", hint, "missing")
    return results


def filled(keys: dict[str, Any], *but: str) -> dict[str, Any]:
    """The keys that say something; an empty value says something for a person's own and those named in `but` alone."""
    return {key: found for key, found in keys.items() if key in but or key.startswith(OWN) or found not in ("", [], {})}


def plain(node: Node) -> Any:
    """A value of the person's own, as JSON has it."""
    if isinstance(node, Scalar):
        return node.text if isinstance(node.value, float) and not math.isfinite(node.value) else node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key: plain(entry.value) for key, entry in node.entries.items()}


def anything(value: Value) -> Any:
    """Whatever the value is, as it is."""
    return plain(value.node)


def _tell(row: Row, key: str, child: Value, parent: Value) -> None:
    place = parent.key_place(key)
    if row.fate is Fate.IGNORED:
        child.report.warn(place, child.path, row.fate.value, row.hint, "ignored")
    else:
        child.report.withhold(place, child.path, row.fate.value, row.hint)


def _unknown(key: str, child: Value, parent: Value, table: Table) -> None:
    near = nearest(key[:64], table, cutoff=0.7)
    hint = f"did you mean {quote(near)}?" if near else "keys of your own begin with x-"
    parent.report.error(parent.key_place(key), child.path, "unknown key", hint, "unknown-key")
