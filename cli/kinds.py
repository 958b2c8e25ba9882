"""What the value of an option may be. Each kind refuses another in the sentence that follows the option's name."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

import click

from cli.errors import BadInput
from cli.words import did_you_mean, duration

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

LAST_PORT = 65_535
LARGEST = 2**63 - 1


class _Kind(click.ParamType[Any]):
    def refuse(
        self, wanted: str, value: object, param: click.Parameter | None, ctx: click.Context | None, hint: str = ""
    ) -> NoReturn:
        """Fail with `must be <wanted>, not "<value>"`, and what may have been meant."""
        self.fail(f'must be {wanted}, not "{value}"{hint}', param, ctx)


class Whole(_Kind):
    """A whole number from `least` to `most`, both included."""

    name = "whole number"

    def __init__(self, least: int = 0, most: int = LARGEST) -> None:
        self._least, self._most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number."""
        try:
            number = int(value)
        except ValueError:
            number = self._least - 1
        if not self._least <= number <= self._most:
            to = "" if self._most == LARGEST else f" to {self._most}"
            self.refuse(f"a whole number from {self._least}{to}", value, param, ctx)
        return number


class Seconds(_Kind):
    """A length of time: a number of seconds, or as `90s`, `10m`, `2h`."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The seconds."""
        try:
            seconds = float(value)
        except ValueError:
            seconds = _duration(str(value))
        if not 0 <= seconds < math.inf:
            self.refuse("a number of seconds from 0, or a time as 90s, 10m or 2h", value, param, ctx)
        return seconds


class Moment(_Kind):
    """A time: `10m` is so long ago, `2026-11-26T10:00:00Z` that very time; without a zone it is this machine's."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The time in seconds since the epoch."""
        ago = _duration(str(value)) if isinstance(value, str) else value
        if math.isnan(ago):
            try:
                return datetime.fromisoformat(value).timestamp()
            except (ValueError, OverflowError, OSError):
                self.refuse("how long ago, as 90s, 10m or 2h, or a time as 2026-11-26T10:00:00Z", value, param, ctx)
        return max(0.0, time.time() - ago)


class OneOf(_Kind):
    """One of a few words."""

    name = "word"

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """The words themselves."""
        return f"[{'|'.join(self._words)}]"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        """The words that begin so."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(word) for word in self._words if word.startswith(incomplete)]

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The word."""
        word = str(value)
        if word not in self._words:
            wanted = f"{', '.join(self._words[:-1])} or {self._words[-1]}"
            self.refuse(wanted, value, param, ctx, did_you_mean(word, self._words))
        return word


def _duration(text: str) -> float:
    try:
        return duration(text)
    except BadInput:
        return math.nan
