"""A value of the file together with its path: what every reader of a key is given.

A reader returns what it read, or raises `Refused` through `refuse`. Texts are taken for numbers and booleans where
those are meant, since interpolation and quoting make texts of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from cluster.compose.findings import quote
from cluster.compose.report import Refused, Report, finding_at
from cluster.compose.tree.nodes import Mapping, Node, Path, Place, Scalar, Sequence, Step
from cluster.compose.tree.scalars import render, resolve

T = TypeVar("T")

_TRUE = frozenset({"true", "yes", "y", "on", "1"})
_FALSE = frozenset({"false", "no", "n", "off", "0"})
LARGEST_INTEGER = 2**63 - 1


@dataclass(slots=True, eq=False)
class Value:
    """One value, where it is, and where to say what is wrong with it."""

    node: Node
    path: Path
    report: Report
    place: Place

    def key_place(self, key: str) -> Place:
        """Where a key of this map is written."""
        return self.node.entries[key].place if isinstance(self.node, Mapping) else self.place

    @property
    def is_null(self) -> bool:
        return isinstance(self.node, Scalar) and self.node.value is None

    @property
    def is_map(self) -> bool:
        return isinstance(self.node, Mapping)

    @property
    def is_list(self) -> bool:
        return isinstance(self.node, Sequence)

    def refuse(self, message: str, hint: str = "", code: str = "invalid") -> Refused:
        """The exception to raise."""
        return Refused(finding_at(self.place, self.path, message, hint, code))

    def withhold(self, message: str, hint: str = "", code: str = "unsupported") -> None:
        """Say what keeps the file from being deployed, good as it is."""
        self.report.withhold(self.place, self.path, message, hint, code)

    def warn(self, message: str, hint: str = "", code: str = "") -> None:
        self.report.warn(self.place, self.path, message, hint, code)

    def aside(self) -> Value:
        """The same value, of which only what is wrong is told: it is left out."""
        return Value(self.node, self.path, self.report.aside(), self.place)

    def attempt(self, read: Callable[[Value], T | None]) -> T | None:
        """What `read` makes of this value; None where it was refused, which is then in the report."""
        try:
            return read(self)
        except Refused as refused:
            self.report.refuse(refused.finding)
            return None

    def items(self) -> list[Value]:
        """The items of a list; null is an empty one."""
        if self.is_null:
            return []
        if not isinstance(self.node, Sequence):
            raise self.refuse(f"must be a list, not {self.kind}", code="type")
        return [self._child(item, index, item.place) for index, item in enumerate(self.node.items)]

    def entries(self, *, or_list: bool = False) -> dict[str, Value]:
        """The entries of a map; null is an empty one. `or_list` says that a list would have been as good."""
        if self.is_null:
            return {}
        if not isinstance(self.node, Mapping):
            raise self.refuse(f"must be a map{' or a list' if or_list else ''}, not {self.kind}", code="type")
        return {key: self._child(entry.value, key, entry.shown) for key, entry in self.node.entries.items()}

    def each(self, read: Callable[[Value], T | None]) -> list[T]:
        """What `read` makes of the items of a list, less what is None; those refused are reported."""
        results = [item.attempt(read) for item in self.items()]
        return [result for result in results if result is not None]

    def texts(self) -> list[str]:
        """A list of texts, each once."""
        return list(dict.fromkeys(self.each(Value.string)))

    def words(self) -> list[str]:
        """One text, or a list of them."""
        return self.texts() if self.is_list else [self.string()]

    def string(self) -> str:
        """A text; numbers and booleans are refused, for `1.10` would lose its zero."""
        scalar = self._scalar("a text")
        if isinstance(scalar.value, str):
            return scalar.value
        raise self.refuse(f"must be a text, not {self.kind}", f'quote it: "{scalar.text}"', "type")

    def rendered(self) -> str:
        """A text, number or boolean as a text, where the specification takes all three."""
        scalar = self._scalar("a text")
        text = render(scalar.value)
        if isinstance(scalar.value, int | float) and not isinstance(scalar.value, bool) and text != scalar.text:
            self.warn(f"{scalar.text} is a number and becomes {quote(text)}", f'quote it: "{scalar.text}"', "number")
        return text

    def quantity(self) -> str:
        """A number or text with a unit, as it is written: a fraction of no unit is none, however YAML spells it."""
        scalar = self._scalar("a number or a text")
        return scalar.text if isinstance(scalar.value, float) else render(scalar.value)

    def word(self, allowed: Iterable[str]) -> str:
        """One of the words allowed."""
        text, words = self.string(), tuple(allowed)
        if text not in words:
            raise self.refuse(f"{quote(text)} is none of {', '.join(words)}", code="choice")
        return text

    def integer(self, least: int, most: int) -> int:
        """A whole number within bounds."""
        scalar = self._scalar("a whole number")
        number = resolve(scalar.value) if isinstance(scalar.value, str) else scalar.value
        if isinstance(number, float) and number.is_integer() and abs(number) > LARGEST_INTEGER:
            number = int(number)
        if isinstance(number, bool) or not isinstance(number, int):
            raise self.refuse(f"must be a whole number, not {quote(scalar.text)}", code="type")
        if not least <= number <= most:
            raise self.refuse(f"{quote(scalar.text)} is not between {least} and {most}", code="range")
        return number

    def number(self, least: float, most: float) -> float:
        """A number within bounds; neither infinite nor no number."""
        scalar = self._scalar("a number")
        number = resolve(scalar.value) if isinstance(scalar.value, str) else scalar.value
        if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
            raise self.refuse(f"must be a number, not {quote(scalar.text)}", code="type")
        if not least <= number <= most:
            raise self.refuse(f"{quote(scalar.text)} is not between {least:g} and {most:g}", code="range")
        return float(number)

    def boolean(self) -> bool:
        """True or false."""
        scalar = self._scalar("true or false")
        if isinstance(scalar.value, bool):
            return scalar.value
        if isinstance(scalar.value, str) and scalar.value.lower() in _TRUE | _FALSE:
            return scalar.value.lower() in _TRUE
        raise self.refuse(f"must be true or false, not {quote(scalar.text)}", code="type")

    @property
    def kind(self) -> str:
        """What this value is, in words."""
        match self.node:
            case Mapping():
                return "a map"
            case Sequence():
                return "a list"
            case Scalar(value=None):
                return "nothing"
            case Scalar(value=bool()):
                return "a boolean"
            case Scalar(value=str()):
                return "a text"
            case _:
                return "a number"

    def _scalar(self, wanted: str) -> Scalar:
        if not isinstance(self.node, Scalar) or self.node.value is None:
            raise self.refuse(f"must be {wanted}, not {self.kind}", code="type")
        if "\0" in self.node.text:
            raise self.refuse("holds a NUL character, which no program can be given", "remove it")
        return self.node

    def _child(self, node: Node, step: Step, place: Place) -> Value:
        return Value(node, (*self.path, step), self.report, place)
