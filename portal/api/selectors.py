"""Selectors of labels, in Kubernetes' grammar: `tier=web,env!=test,zone in (a,b),zone notin (c),owner,!old`. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

# `\s*+` gives nothing back: before an empty value and what is no end, all spaces would be shared out in every way.
_PART = re.compile(
    r"""\s*(?:
        (?P<not>!)\s*(?P<absent>[^\s,()=!]+)
      | (?P<set>[^\s,()=!]+)\s+(?P<in>in|notin)\s*\((?P<values>[^()]*)\)
      | (?P<key>[^\s,()=!]+)\s*(?P<is>==|=|!=)\s*+(?P<value>[^\s,()]*)
      | (?P<there>[^\s,()=!]+)
    )\s*(?:,|$)""",
    re.VERBOSE,
)


class BadSelector(ValueError):
    """The text is no selector. The exception's own text says where it ceases to be one."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a label has to be: it `is` one of the values, `not` one of them (or not there), `there`, or `absent`."""

    key: str
    word: Literal["is", "not", "there", "absent"]
    values: frozenset[str] = frozenset()

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels are so."""
        match self.word:
            case "is":
                return labels.get(self.key) in self.values
            case "not":
                return labels.get(self.key) not in self.values
            case "there":
                return self.key in labels
        return self.key not in labels


def parse(text: str) -> tuple[Requirement, ...]:
    """The requirements of a selector, all of which have to hold. Raises BadSelector."""
    found, at = list[Requirement](), 0
    while at < len(text):
        part = _PART.match(text, at)
        if part is None:
            raise BadSelector(f'"{text[at:].strip()}" is no requirement of labels')
        found.append(_requirement(part))
        at = part.end()
    return tuple(found)


def selects(requirements: Sequence[Requirement], labels: Mapping[str, str]) -> bool:
    """Whether all requirements hold."""
    return all(one.holds(labels) for one in requirements)


def _requirement(part: re.Match[str]) -> Requirement:
    if part["absent"]:
        return Requirement(part["absent"], "absent")
    if part["set"]:
        values = frozenset(value.strip() for value in part["values"].split(","))
        return Requirement(part["set"], "is" if part["in"] == "in" else "not", values)
    if part["key"]:
        return Requirement(part["key"], "not" if part["is"] == "!=" else "is", frozenset({part["value"]}))
    return Requirement(part["there"], "there")
