"""`deploy.placement`: constraints, what to spread over, and the most replicas of one machine."""

from __future__ import annotations

from cluster.compose.findings import quote
from cluster.compose.keys import Table, read
from cluster.compose.value import Value
from cluster.constraints import NoConstraint, is_key, parse
from cluster.spec import Placement

MOST_A_NODE = 10_000


def placement(value: Value) -> Placement:
    """Where the tasks may go."""
    keys = read(value, _TABLE)
    return Placement(
        constraints=tuple(keys.get("constraints", ())),
        spread=tuple(keys.get("preferences", ())),
        max_replicas_per_node=keys.get("max_replicas_per_node", 0),
    )


def _constraint(value: Value) -> str:
    text = value.string()
    try:
        return str(parse(text))
    except NoConstraint as error:
        raise value.refuse(f"{quote(text)} {error.wrong}", error.hint, "constraint") from None


def _preference(value: Value) -> str | None:
    return read(value, _PREFERENCE, {"spread": 'write it as in "spread: node.labels.zone"'}).get("spread")


def _spread(value: Value) -> str:
    key = value.string()
    if not is_key(key):
        raise value.refuse(
            f"{quote(key)} is nothing that machines differ in", 'write it as in "node.labels.zone"', "constraint"
        )
    return key


_PREFERENCE: Table = {"spread": _spread}
_TABLE: Table = {
    "constraints": lambda value: value.each(_constraint),
    "preferences": lambda value: value.each(_preference),
    "max_replicas_per_node": lambda value: value.integer(0, MOST_A_NODE),
}
