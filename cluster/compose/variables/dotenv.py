"""Environment files: `.env`, and what `env_file` names.

KEY=value # a comment, after a space
export KEY=value
KEY: value
KEY                  the value that the environment has, if any
KEY='as it is'       may span lines
KEY="with \\n and ${VARIABLE}"
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import cast

from cluster.compose.report import Report
from cluster.compose.tree.events import decode
from cluster.compose.tree.nodes import Place
from cluster.compose.tree.text import Text
from cluster.compose.variables.template import BadTemplate, expand

LARGEST_FILE = 1024 * 1024
MOST_CHARACTERS = 4 * LARGEST_FILE
NOTHING: Mapping[str, str] = MappingProxyType({})

_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r"(?:export[ \t]+)?([A-Za-z0-9_.\-\[\]]+)[ \t]*(?:([=:])[ \t]*|(?=\r?\n|#|\Z))")
_BARE = re.compile(r"[^\n]*")
_COMMENT = re.compile(r" #.*")
_BLANK = re.compile(r"\s")
_SINGLE = re.compile(r"'([^']*)'")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_REST = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\r?(?:\n|\Z)|\Z)")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v", "b": "\b", "a": "\a", "$": "$$"}


def parse_env_file(
    path: str,
    data: bytes,
    environment: Mapping[str, str],
    report: Report,
    *,
    before: Mapping[str, str] = NOTHING,
    raw: bool = False,
) -> dict[str, str]:
    """The variables of an environment file, in the file's order; the last of several values wins.

    `path` is what messages call the file. `environment` gives the values of bare keys and of variables in values;
    variables that it lacks may be set further up in the file, or by the files before it: `before`. `raw` takes all
    after the first `=` as it is, and knows no `export`. A bare key without a value anywhere is left out, and a variable
    that is set nowhere is warned of in `report`. Raises ComposeError.
    """
    text = Text(path, secret=True)
    if len(data) > LARGEST_FILE:
        report.fatal(Place(text), f"the file has {len(data)} bytes, more than {LARGEST_FILE}", code="too-large")
    decode(data, text, report)
    if raw:
        return _raw(text, report, environment)
    found: dict[str, str] = {}
    return _Reader(text, report, environment, layered(environment, found, before), found).read()


def layered(*maps: Mapping[str, str]) -> Mapping[str, str]:
    """A view of several maps, of which the first that has a name says its value."""
    # Its type asks for maps that can be changed; a view that is only read changes none.
    return ChainMap(*cast("tuple[dict[str, str], ...]", maps))


def _raw(text: Text, report: Report, environment: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, line in enumerate(text.content.split("\n"), 1):
        said = line.rstrip("\r").lstrip()
        if not said or said.startswith("#"):
            continue
        key, equals, value = said.partition("=")
        if not key or _BLANK.search(key):
            hint = "write KEY=value, with no blank in KEY and no export before it"
            report.fatal(Place(text, number), "this line sets no variable", hint, "env-file")
        if equals or key in environment:
            found[key] = value if equals else environment[key]
    return found


@dataclass(slots=True)
class _Reader:
    """One left-to-right pass over a file."""

    text: Text
    report: Report
    environment: Mapping[str, str]
    scope: Mapping[str, str]
    found: dict[str, str]
    at: int = 0
    characters: int = 0

    def read(self) -> dict[str, str]:
        text = self.text.content
        while (begin := self._skip()) < len(text):
            key = _KEY.match(text, begin)
            if key is None:
                hint = "write KEY=value"
                self.report.fatal(self._place(begin), "this line sets no variable", hint, "env-file")
            self.at = key.end()
            if key[2] is None:
                self._inherit(key[1])
            else:
                self._set(key[1], self._value())
        return self.found

    def _skip(self) -> int:
        blank = _SPACE.match(self.text.content, self.at)
        self.at = blank.end() if blank else self.at
        return self.at

    def _inherit(self, key: str) -> None:
        if key in self.environment:
            self._set(key, self.environment[key])

    def _set(self, key: str, value: str) -> None:
        self.characters += len(value)
        if self.characters > MOST_CHARACTERS:
            self.report.fatal(self._place(self.at), "the variables of this file stand for too much", code="too-large")
        self.found[key] = value

    def _value(self) -> str:
        text, begin = self.text.content, self.at
        mark = text[begin : begin + 1]
        if mark not in ("'", '"'):
            return self._bare(begin)
        found = (_SINGLE if mark == "'" else _DOUBLE).match(text, begin)
        if found is None:
            self.report.fatal(self._place(begin), "this quote is never closed", f"close it with {mark}", "env-file")
        self.at = found.end()
        rest = _REST.match(text, self.at)
        if rest is None:
            self.report.fatal(self._place(self.at), "text after the closing quote", "quote all of it", "env-file")
        self.at = rest.end()
        return found[1] if mark == "'" else self._expand(_ESCAPE.sub(_unescape, found[1]), begin)

    def _bare(self, begin: int) -> str:
        line = _BARE.match(self.text.content, begin)
        value = line[0] if line else ""
        self.at = begin + len(value)
        return self._expand(_COMMENT.sub("", value, count=1).strip(), begin)

    def _expand(self, value: str, begin: int) -> str:
        try:
            return expand(value, self.scope, lambda name: self._unset(name, begin))
        except BadTemplate as error:
            self.report.fatal(self._place(begin), error.message, error.hint, error.code)

    def _unset(self, name: str, begin: int) -> None:
        message = f"the variable {name} is not set: an empty text stands for it"
        self.report.warn(
            self._place(begin), (), message, f"set {name}, or for a dollar use single quotes", "unset-variable"
        )

    def _place(self, offset: int) -> Place:
        content = self.text.content
        return Place(self.text, content.count("\n", 0, offset) + 1, offset - content.rfind("\n", 0, offset))


def _unescape(escape: re.Match[str]) -> str:
    return _ESCAPES.get(escape[1], escape[1])
