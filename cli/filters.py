"""`--filter KEY=VALUE` of lists: which rows a person wants to see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic

import click

from cli.errors import BadInput
from cli.group import Decorated
from cli.table import Row, Shown
from cli.words import did_you_mean


@dataclass(frozen=True, slots=True)
class Filter(Generic[Shown]):
    """What a key asks of a row, by the text that a person gives; `words` are all that there are, where they are few."""

    matches: Callable[[Shown, str], bool]
    words: Sequence[str] = ()


def is_(key: str, words: Sequence[str] = ()) -> Filter[Row]:
    """Rows whose field is this very text."""
    return Filter(lambda row, text: text == str(row.get(key)), words)


def has(key: str) -> Filter[Row]:
    """Rows whose field has this text in it."""
    return Filter(lambda row, text: text in str(row.get(key) or ""))


def begins(key: str) -> Filter[Row]:
    """Rows whose field begins with this text, as an id does."""
    return Filter(lambda row, text: str(row.get(key) or "").startswith(text))


def labelled(key: str = "labels") -> Filter[Row]:
    """Rows with a label `NAME`, or `NAME=VALUE`."""
    return Filter(lambda row, text: has_label(row.get(key) or {}, text))


def filter_option(known: Iterable[str], *, short: bool = True) -> Callable[[Decorated], Decorated]:
    """`--filter`, any number of times, as the command's parameter `filter`; help names the keys that are known."""
    *first, last = known
    keys = f"{', '.join(first)} or {last}" if first else last
    words = f"Only those of this {keys}; of one key any, of different keys all."
    names = ["--filter", *(["-f"] if short else [])]
    return click.option(*names, "filter", metavar="KEY=VALUE", multiple=True, help=words)


def read_filters(given: Sequence[str], known: Mapping[str, Filter[Any]]) -> Callable[[Row], bool]:
    """Whether a row is as the filters say: as one of those of each key.

    Raises BadInput for a key or a word that there is not.
    """
    wanted = defaultdict[str, list[str]](list)
    for text in given:
        key, equals, value = text.partition("=")
        if not (equals and value):
            raise BadInput(f'"{text}" is no filter: write it as KEY=VALUE; the keys are {", ".join(known)}')
        if key not in known:
            raise BadInput(f'there is no filter "{key}"{did_you_mean(key, known)}; the keys are {", ".join(known)}')
        if (words := known[key].words) and value not in words:
            raise BadInput(f'{key} is never "{value}"{did_you_mean(value, words)}; it is one of {", ".join(words)}')
        wanted[key].append(value)
    return lambda row: all(any(known[key].matches(row, text) for text in texts) for key, texts in wanted.items())


def has_label(labels: Mapping[str, str], text: str) -> bool:
    """Whether there is a label `NAME`, or one `NAME=VALUE`."""
    name, equals, value = text.partition("=")
    return name in labels and (not equals or labels[name] == value)
