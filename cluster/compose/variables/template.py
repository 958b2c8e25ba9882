"""The grammar of variables: `$V`, `${V}`, and with a default, a demand or an alternative.

It is the compose specification's: `${V:-default}`, `${V-default}`, `${V:?message}`, `${V?message}`, `${V:+other}`,
`${V+other}`, where default, message and other may hold variables again; `$$` is a dollar. A dollar that begins none of
these stays. What a variable holds is never expanded again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cluster.compose.findings import quote

DEEPEST = 100

_NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
_OPERATOR = re.compile(r":?[-?+]")
_NOT_SPECIAL = re.compile(r"[^$}]+")


class BadTemplate(Exception):
    """A text with a `${` that cannot be expanded: its grammar is wrong, or a required variable is unset."""

    def __init__(self, message: str, hint: str = "", code: str = "interpolation") -> None:
        self.message, self.hint, self.code = message, hint, code
        super().__init__(message)


def expand(
    text: str,
    environment: Mapping[str, str],
    unset: Callable[[str], None] = lambda name: None,
    used: Callable[[str, str], object] = lambda name, value: None,
) -> str:
    """`text` with its variables replaced, in time linear in the result.

    `unset` is told the name of each variable that has no value and no default, `used` each that is named and has a
    value, with that. Raises BadTemplate.
    """
    if "$" not in text:
        return text
    return _Scanner(text, environment, unset, used).scan(nested=False, wanted=True, depth=0)


@dataclass(slots=True)
class _Scanner:
    """One left-to-right pass. `wanted` false reads over a branch that is not taken: its variables are not missed."""

    text: str
    environment: Mapping[str, str]
    unset: Callable[[str], None]
    used: Callable[[str, str], object]
    at: int = 0

    def scan(self, *, nested: bool, wanted: bool, depth: int) -> str:
        """Up to the end, or where `nested` up to and over the `}` that closes this expression."""
        if depth > DEEPEST:
            raise BadTemplate(f"variables are nested more than {DEEPEST} deep")
        parts: list[str] = []
        while self.at < len(self.text):
            if plain := _NOT_SPECIAL.match(self.text, self.at):
                parts.append(plain[0])
                self.at = plain.end()
            elif self.text[self.at] == "}":
                self.at += 1
                if nested:
                    return "".join(parts)
                parts.append("}")
            else:
                parts.append(self._dollar(wanted, depth))
        if nested:
            raise BadTemplate('"${" without its "}"', 'close it, or write "$$" for a dollar')
        return "".join(parts)

    def _dollar(self, wanted: bool, depth: int) -> str:
        self.at += 1
        following = self.text[self.at : self.at + 1]
        if following == "$":
            self.at += 1
            return "$"
        if following == "{":
            self.at += 1
            return self._braced(wanted, depth)
        if name := _NAME.match(self.text, self.at):
            self.at = name.end()
            return self._value(name[0], wanted)
        return "$"

    def _braced(self, wanted: bool, depth: int) -> str:
        begin = self.at
        name = _NAME.match(self.text, self.at)
        if name is None:
            raise BadTemplate(f"{quote('${' + self.text[begin : begin + 20])} names no variable", _HELP)
        self.at = name.end()
        if self.text.startswith("}", self.at):
            self.at += 1
            return self._value(name[0], wanted)
        operator = _OPERATOR.match(self.text, self.at)
        if operator is None:
            raise BadTemplate(f"{quote('${' + self.text[begin : self.at + 10])} is no expression", _HELP)
        self.at = operator.end()
        return self._operation(name[0], operator[0], wanted, depth)

    def _operation(self, name: str, operator: str, wanted: bool, depth: int) -> str:
        value = self._found(name)
        present = value is not None and (value != "" or not operator.startswith(":"))
        takes_operand = present if operator.endswith("+") else not present
        operand = self.scan(nested=True, wanted=wanted and takes_operand, depth=depth + 1)
        if not takes_operand:
            return value or "" if present and not operator.endswith("+") else ""
        if operator.endswith("?") and wanted:
            reason = operand or "it has no value"
            raise BadTemplate(f"the variable {name} is required: {reason}", f"set {name}", "required-variable")
        return operand

    def _value(self, name: str, wanted: bool) -> str:
        value = self._found(name)
        if value is None and wanted:
            self.unset(name)
        return value or ""

    def _found(self, name: str) -> str | None:
        value = self.environment.get(name)
        if value is not None:
            self.used(name, value)
        return value


_HELP = 'write "${NAME}" or "${NAME:-default}", or "$$" for a dollar'
