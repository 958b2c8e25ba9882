"""Constraints on the machine that a task may go to: `node.role == manager`, `node.labels.disk in (ssd, nvme)`.

`==` and `!=` are spelled as Swarm spells them (`docker service create --constraint`); the other operators, versions and
`node.services` are more than Swarm has. A short form of labels is `gbnt.node.gpu == nvidia` for `node.labels.gpu ==
nvidia`. docs/placement.md has the grammar.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from cluster.likeness import compare, is_ordered, same

if TYPE_CHECKING:
    from cluster.model import Node

Operator = Literal["==", "!=", "in", "not in", ">", ">=", "<", "<=", "exists", "not exists"]

PLAIN: Mapping[str, str] = {
    "node.id": "id",
    "node.hostname": "name",
    "node.role": "role",
    "node.ip": "address",
    "node.platform.os": "os",
    "node.platform.arch": "arch",
    "engine.version": "engine_version",
}
LABELS = ("node.labels.", "engine.labels.")
SHORT = "gbnt.node."
SERVICES, STACK = "node.services", "stack.name"
EQUALITY: tuple[Operator, ...] = ("==", "!=", "in", "not in")
ORDER: Mapping[str, tuple[str, Callable[[int], bool]]] = {
    ">": ("above", lambda sign: sign > 0),
    ">=": ("of at least", lambda sign: sign >= 0),
    "<": ("below", lambda sign: sign < 0),
    "<=": ("of at most", lambda sign: sign <= 0),
}
OPERATORS = "==, !=, in (…, …), not in (…, …), >, >=, <, <=, exists and not exists"

_NAME = r"[A-Za-z0-9._/-]+"
_KEY = re.compile(rf"\s*({_NAME})\s*")
_OPERATOR = re.compile(r"(==|!=|>=|<=|>|<|(?:not\s+)?(?:in|exists)(?![\w.-]))\s*")
_VALUE = re.compile(r"\S(?:.*\S)?")
_LIST = re.compile(r"\(([^()]*)\)")


class NoConstraint(ValueError):
    """The text is no constraint: what is wrong with it, and a hint at how one is written."""

    def __init__(self, wrong: str, hint: str) -> None:
        super().__init__(f"{wrong}: {hint}")
        self.wrong = wrong
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Constraint:
    """One condition on a machine. `key` is in its long form; `values` are empty for `exists` and its opposite."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        values = f"({', '.join(self.values)})" if self.operator in ("in", "not in") else "".join(self.values)
        return f"{self.key} {self.operator} {values}".rstrip()

    @property
    def wanted(self) -> bool:
        """Whether it asks for what it names, and not for its absence."""
        return self.operator not in ("!=", "not in", "not exists")

    def allows(self, node: Node, stack: str = "") -> bool:
        """Whether the machine meets it, for a task of that stack. What runs there is another matter: `SERVICES`."""
        return self.holds(stack if self.key == STACK else value_of(node, self.key))

    def holds(self, found: str | None) -> bool:
        """Whether that value meets it; None is a label that is not there, and equals nothing."""
        if self.operator in ("exists", "not exists"):
            return (found is not None) is self.wanted
        if self.operator in ORDER:
            sign = None if found is None else compare(found, self.values[0])
            return sign is not None and ORDER[self.operator][1](sign)
        return (found is not None and any(same(self.key, found, value) for value in self.values)) is self.wanted

    @property
    def fault(self) -> str:
        """What is said of machines that it turns away, after their number."""
        if self.key == SERVICES:
            return f"have {'no' if self.wanted else 'a'} task of {self._choice}"
        if self.key == STACK:
            return f"are {'not ' if self.wanted else ''}for stack {self._choice}"
        label = next((self.key.removeprefix("node.labels.") for prefix in LABELS if self.key.startswith(prefix)), None)
        if label is not None:
            return f"{'lack' if self.wanted else 'have'} label {label}{self._bound}"
        if self.operator in ORDER:
            return f"have no {self.key}{self._bound}"
        return f"are not {self.key} {self._choice}" if self.wanted else f"have {self.key} {self._choice}"

    @property
    def _choice(self) -> str:
        return " or ".join(self.values)

    @property
    def _bound(self) -> str:
        """The condition on a label's value: `=ssd`, `=ssd or nvme`, ` above 16`, or none."""
        if self.operator in ORDER:
            return f" {ORDER[self.operator][0]} {self.values[0]}"
        return f"={self._choice}" if self.values else ""


def parse(text: str) -> Constraint:
    """The constraint that a text says. Raises NoConstraint, which says at which column, counted from 1."""
    key = _KEY.match(text)
    if key is None:
        raise _wrong(text, 0, "no key")
    operator = _OPERATOR.match(text, key.end())
    if operator is None:
        raise _wrong(text, key.end(), "no operator")
    word = cast(Operator, " ".join(operator[1].split()))
    constraint = Constraint(_long(key[1]), word, tuple(_values(text, operator.end(), word)))
    _check(constraint, key[1])
    return constraint


def _values(text: str, start: int, operator: Operator) -> Iterable[str]:
    rest = text[start:].rstrip()
    if operator in ("exists", "not exists"):
        if rest:
            raise _wrong(text, start, f"something after {operator}")
        return ()
    if operator in ("in", "not in"):
        found = _LIST.fullmatch(rest)
        values = [value.strip() for value in found[1].split(",")] if found else []
        if not values or not all(values):
            raise _wrong(text, start, "no list of values, as (a, b)")
        return values
    if _VALUE.fullmatch(rest) is None or rest.startswith("="):
        raise _wrong(text, start, "no value")
    return (rest,)


def _wrong(text: str, index: int, what: str) -> NoConstraint:
    column = min(index, len(text.rstrip())) + 1
    hint = f'the operators are {OPERATORS}, as in "node.labels.disk == ssd" or "node.role != manager"'
    return NoConstraint(f"is no constraint: {what} at column {column}", hint)


def _check(constraint: Constraint, given: str) -> None:
    """Raise NoConstraint where it could never make sense."""
    key, operator, values = constraint.key, constraint.operator, constraint.values
    if not is_key(key) and key not in (SERVICES, STACK):
        known = ", ".join((*PLAIN, *(f"{prefix}NAME" for prefix in LABELS), SERVICES, STACK))
        raise NoConstraint(f"names {given}, which no machine has", f"there are {known}")
    if key in (SERVICES, STACK) and operator not in EQUALITY:
        raise NoConstraint(f"asks for {operator} of {key}", f"with that go {', '.join(EQUALITY)}")
    strange = next((one for one in values if key == "node.role" and one.lower() not in ("manager", "worker")), None)
    if strange is not None:
        raise NoConstraint(f"names {strange}, which is no role", "there are manager and worker")
    if operator in ORDER and not is_ordered(values[0]):
        hint = "write it as in 16, 2.5, or v5.10 for a version"
        raise NoConstraint(f"compares with {values[0]}, which is neither a number nor a version", hint)


def is_key(text: str) -> bool:
    """Whether machines can differ in what this names, in its long form."""
    return text in PLAIN or any(text.startswith(prefix) and text != prefix for prefix in LABELS)


def is_label(name: str) -> bool:
    """Whether a constraint can name a label of that name."""
    return re.fullmatch(_NAME, name) is not None


def value_of(node: Node, key: str) -> str | None:
    """What a machine has under a constraint's key; None for a label that it lacks."""
    if key.startswith("node.labels."):
        return node.labels.get(key.removeprefix("node.labels."))
    if key.startswith("engine.labels."):
        return node.engine_labels.get(key.removeprefix("engine.labels."))
    field = PLAIN.get(key)
    return None if field is None else str(getattr(node, field))


def _long(key: str) -> str:
    """The long form of a key: `gbnt.node.role` is `node.role`, and `gbnt.node.X` any label X."""
    if not key.startswith(SHORT):
        return key
    rest = key.removeprefix(SHORT)
    plain = f"node.{rest}"
    return plain if plain in (*PLAIN, SERVICES) or plain.startswith("node.labels.") else f"node.labels.{rest}"
