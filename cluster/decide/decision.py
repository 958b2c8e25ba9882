"""What every decision rests on, and what it comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from cluster.compose.problem import Problem
from cluster.model import Change, State, Table
from cluster.nearness import nearest

RefusalCode = Literal["not_found", "conflict", "stale", "invalid", "forbidden", "unavailable", "unknown"]
"""`stale`: the thing was changed since it was read."""


@dataclass(frozen=True, slots=True)
class Entropy:
    """Time and chance, passed in: `now` in seconds since the epoch, and a maker of new ids."""

    now: float
    new_id: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Happening:
    """An event before it has its revision."""

    kind: str
    subject: str
    message: str
    request: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """Changes to commit together. None at all means that everything is as wanted already: nothing is written."""

    changes: tuple[Change, ...] = ()
    happenings: tuple[Happening, ...] = ()
    told: Mapping[str, str] = field(default_factory=dict)
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """No, and why: a sentence that says what to do next. `problems` are the parts of a spec that it is about."""

    code: RefusalCode
    message: str
    problems: tuple[Problem, ...] = ()


Decision = Decided | Refusal


def missing(kind: str, name: str, known: Mapping[str, object]) -> Refusal:
    """The refusal for a name that is not there, with what it may have meant."""
    near = nearest(name, known)
    hint = f"; did you mean {near}?" if near else f"; gbnt {kind} ls shows what is there"
    return Refusal("not_found", f"there is no {kind} {name}{hint}")


class Draft:
    """A decision being made: a state that takes its own changes, so that later steps see earlier ones."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._own: dict[str, dict[str, Any]] = {}
        self._changes: dict[tuple[str, str], Change] = {}
        self._happenings: list[Happening] = []

    def put(self, *changes: Change) -> None:
        """Make changes; the last one of a row counts."""
        for change in changes:
            self._changes[change.table, change.key] = change
            rows = self._rows(change.table)
            if change.entity is None:
                rows.pop(change.key, None)
            else:
                rows[change.key] = change.entity

    def _rows(self, table: Table) -> dict[str, Any]:
        """The table to write in: copied once, for a thousand tasks are added one after another."""
        if table not in self._own:
            self._own[table] = copy(getattr(self.state, table))
            self.state = replace(self.state, **{table: self._own[table]})  # type: ignore[arg-type]
        return self._own[table]

    def tell(self, kind: str, subject: str, message: str, request: str = "") -> None:
        """Add an event. `request` is that of the task or service which it is about."""
        self._happenings.append(Happening(kind, subject, message, request))

    def decided(self, told: Mapping[str, str] | None = None, detail: Mapping[str, str] | None = None) -> Decided:
        """The decision as it stands."""
        return Decided(tuple(self._changes.values()), tuple(self._happenings), told or {}, detail or {})
