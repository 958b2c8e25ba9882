r"""`--format TEMPLATE`: each row by the part of Go's templates that docker's users know.

Text stands for itself, `\t` and `\n` for a tab and a line's end. Between `{{` and `}}` is a field (`.Name`,
`.Spec.Image`, `.` for all of the row), a text in quotes, a number, or a function with such arguments; `|` hands what is
before it to the function after it, as its last argument. `table` at the beginning aligns what tabs part, under titles.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from cli.errors import BadInput
from cli.table import Column, R
from cli.template_words import FUNCTIONS, cell_text, field_of, parted, plain, text_of
from cli.words import did_you_mean

_ACTION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_TOKEN = re.compile(
    r"""\s*(?: (?P<field>\.[\w.]*) | (?P<text>"(?:[^"\\]|\\.)*"|`[^`]*`) | (?P<number>-?\d+)
    | (?P<pipe>\|) | (?P<word>\w+) )""",
    re.VERBOSE,
)
_ESCAPES = {r"\t": "\t", r"\n": "\n"}
MOST_DIGITS = 18
_MORE = "; of more than fields and functions `-o json` and jq are the way"


@dataclass(frozen=True, slots=True)
class Field:
    """A place in the row; no names are the row itself."""

    names: tuple[str, ...]


Operand = Field | str | int


@dataclass(frozen=True, slots=True)
class Call:
    """A function and its arguments; without a function it is its one argument."""

    function: str
    arguments: tuple[Operand, ...]


Action = tuple[Call, ...]
"""Calls, each of which gets the result of the one before."""


@dataclass(frozen=True, slots=True)
class Template:
    """What was read: texts and actions in order, one sequence for each column of a table, else one in all."""

    columns: tuple[tuple[str | Action, ...], ...]
    is_table: bool

    def line(self, row: R, shown: Sequence[Column[R]] = ()) -> str:
        """The row as the template says. `shown` are columns whose words count for fields that the row has not.

        Raises BadInput for a field that there is not, and for an argument that a function does not take.
        """
        return "\t".join(_text(parts, row, shown) for parts in self.columns)

    def table(self, shown: Sequence[Column[R]] = ()) -> tuple[Column[R], ...]:
        """The columns of the table that it asks for."""

        def column(parts: tuple[str | Action, ...]) -> Column[R]:
            return Column(_title(parts), lambda row: _text(parts, row, shown))

        return tuple(map(column, self.columns))


def parse(text: str) -> Template:
    """Read a template. Raises BadInput with what is wrong in it, before anybody is asked for rows."""
    is_table = text.startswith("table ")
    body = "{{json .}}" if text == "json" else text.removeprefix("table ")
    for escape, char in _ESCAPES.items():
        body = body.replace(escape, char)
    parts = list(_parts(body))
    if not any(isinstance(part, tuple) for part in parts):
        raise BadInput(f'--format "{text}" names no field: write one as {{{{.Name}}}}; `-o` has forms by name')
    return Template(tuple(_columns(parts)) if is_table else (tuple(parts),), is_table)


def _parts(body: str) -> list[str | Action]:
    pieces = _ACTION.split(body)
    for text in pieces[::2]:
        if "{{" in text or "}}" in text:
            _refuse(f'"{text.strip()}" opens or closes what it does not close or open')
    return [_action(piece) if place % 2 else piece for place, piece in enumerate(pieces) if piece or place % 2]


def _columns(parts: Sequence[str | Action]) -> list[tuple[str | Action, ...]]:
    columns: list[list[str | Action]] = [[]]
    for part in parts:
        first, *more = part.split("\t") if isinstance(part, str) else [part]
        columns[-1] += [first] if first else []
        columns += [[text] if text else [] for text in more]
    return [tuple(column) for column in columns]


def _action(body: str) -> Action:
    calls, words = list[Call](), list[Operand | Call]()
    for kind, text in [*_tokens(body), ("pipe", "")]:
        if kind != "pipe":
            words.append(_operand(kind, text))
        else:
            calls.append(_call(words, body, piped=bool(calls)))
            words = []
    return tuple(calls)


def _tokens(body: str) -> list[tuple[str, str]]:
    found, place, end = [], 0, len(body.rstrip())
    while place < end:
        match = _TOKEN.match(body, place)
        if match is None or match.lastgroup is None:
            _refuse(f'"{body[place:].strip()}" in {{{{{body}}}}} is not understood{_MORE}')
        found.append((match.lastgroup, match[match.lastgroup]))
        place = match.end()
    return found


def _operand(kind: str, text: str) -> Operand | Call:
    match kind:
        case "field":
            return Field(tuple(name for name in text.split(".") if name))
        case "number" if len(text) > MOST_DIGITS:
            _refuse(f"{text[:MOST_DIGITS]}… is too great a number")
        case "number":
            return int(text)
        case "text":
            return re.sub(r"\\(.)", r"\1", text[1:-1]) if text[0] == '"' else text[1:-1]
    if text not in FUNCTIONS:
        _refuse(
            f'there is no function "{text}"{did_you_mean(text, FUNCTIONS)}; there are {", ".join(FUNCTIONS)}{_MORE}'
        )
    return Call(text, ())


def _call(words: Sequence[Operand | Call], body: str, *, piped: bool) -> Call:
    function = words[0].function if words and isinstance(words[0], Call) else ""
    arguments = tuple(word for word in words[bool(function) :] if not isinstance(word, Call))
    if len(arguments) != len(words) - bool(function) or (piped and not function):
        _refuse(f"{{{{{body}}}}}: a function stands first{_MORE}")
    wanted = FUNCTIONS[function].takes if function else 1
    if len(arguments) + piped != wanted:
        what = f"{function} takes {wanted}" if function else "one value is printed"
        _refuse(f"{{{{{body}}}}}: {what}, not {len(arguments) + piped}")
    return Call(function, arguments)


def _text(parts: Sequence[str | Action], row: R, shown: Sequence[Column[R]]) -> str:
    return "".join(part if isinstance(part, str) else text_of(_result(part, row, shown)) for part in parts)


def _result(action: Action, row: R, shown: Sequence[Column[R]]) -> object:
    """A field alone is printed in the words of its column where those of the row are no text."""
    result: object = None
    for place, call in enumerate(action):
        values = [field_of(row, one.names, shown) if isinstance(one, Field) else one for one in call.arguments]
        if call.function:
            result = FUNCTIONS[call.function].of(*values, *([result] if place else []))
        else:
            result = values[0]
    alone = len(action) == 1 and not action[0].function
    if alone and isinstance(result, Mapping | list) and isinstance(one := action[0].arguments[0], Field):
        titles = {plain(column.title): column for column in shown}
        column = titles.get(plain(".".join(one.names)))
        return result if column is None else cell_text(column.cell(row))
    return result


def _title(parts: Sequence[str | Action]) -> str:
    return "".join(part if isinstance(part, str) else _title_of(part) for part in parts)


def _title_of(action: Action) -> str:
    fields = [one for call in action for one in call.arguments if isinstance(one, Field) and one.names]
    return parted(fields[0].names[-1]).upper() if fields else "VALUE"


def _refuse(problem: str) -> NoReturn:
    raise BadInput(f"--format: {problem}")
