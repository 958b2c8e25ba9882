"""`deploy.placement`: constraints, what to spread over or pack, and the most replicas of one machine."""

from __future__ import annotations

from typing import Any

from cluster.compose.findings import quote
from cluster.compose.reading.keys import Table, read
from cluster.compose.reading.value import Value
from cluster.constraints import NoConstraint, is_key, parse

MOST_A_NODE = 10_000


def placement(value: Value) -> dict[str, Any]:
    """Where the tasks may go."""
    return read(value, PLACEMENT)


def _constraint(value: Value) -> str:
    """A constraint as it is written. One that compares something, but nothing that is here, the checks withhold."""
    text = value.string()
    try:
        parse(text)
    except NoConstraint as error:
        if "=" not in text:
            raise value.refuse(f"{quote(text)} {error.wrong}", error.hint, "constraint") from None
    return text


def _preference(value: Value) -> dict[str, Any]:
    keys = read(value, PREFERENCE)
    if PREFERENCE.keys().isdisjoint(value.entries()):
        raise value.refuse(
            "prefers nothing", 'write it as in "spread: node.labels.zone" or "x-binpack: true"', "missing"
        )
    return keys


def _spread(value: Value) -> str:
    key = value.string()
    if not is_key(key):
        message = f"{quote(key)} is nothing that machines differ in"
        value.withhold(message, 'write it as in "node.labels.zone"', "constraint")
    return key


PREFERENCE: Table = {"spread": _spread, "x-binpack": Value.boolean}
PLACEMENT: Table = {
    "constraints": lambda value: value.each(_constraint),
    "preferences": lambda value: value.each(_preference),
    "max_replicas_per_node": lambda value: value.integer(0, MOST_A_NODE),
}
