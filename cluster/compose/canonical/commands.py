"""Commands: a list is taken as it is, a text is split as a POSIX shell splits words, and nothing else a shell does."""

from __future__ import annotations

import re
import shlex

from cluster.compose.reading.value import Value

# Linux takes no longer argument, and splitting is not free.
LONGEST_COMMAND = 128 * 1024

_QUOTING = re.compile(r"[\"'\\]")
_BLANKS = re.compile(r"[ \t\r\n]+")
_QUOTED = re.compile(r"""\\.|'[^']*'|"(?:[^"\\]|\\.)*\"""", re.DOTALL)
_OPERATOR = re.compile(r"(?:^|\s)(&&|\|\||[|;<>&]|>>|<<|[0-9]?>&[0-9])(?=\s|$)|;(?=\s|$)")


def command(value: Value) -> list[str]:
    """The words of a command; an empty list or text clears the image's."""
    if value.is_list:
        return value.each(Value.rendered)
    text = value.string()
    words = split(value, text)
    if found := _OPERATOR.search(_QUOTED.sub("_", text)):
        hint = 'for a shell write ["sh", "-c", "…"]'
        value.warn(f'no shell runs this command: "{found[0].strip()}" is passed on as a word', hint, "shell")
    return words


def split(value: Value, text: str) -> list[str]:
    """The words of `text`."""
    if len(text) > LONGEST_COMMAND:
        raise value.refuse(f"a command of {len(text)} characters, more than {LONGEST_COMMAND}", code="range")
    if not _QUOTING.search(text):
        return [word for word in _BLANKS.split(text) if word]
    try:
        return shlex.split(text)
    except ValueError as error:
        hint = "close it, or write the command as a list"
        raise value.refuse(f"the command cannot be split: {str(error).lower()}", hint) from error
