"""Numbers and times in the words that a table has room for."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from cli.errors import BadInput

HIDDEN = "***"
"""What is printed in the place of a secret."""

UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
LONGEST = 100 * 365 * 86_400


def age(since: object, now: float) -> str:
    """How long ago `since` was, in its largest unit: `12s`, `3m`, `5h`, `9d`; `-` for none.

    `since` is seconds since the epoch or an RFC 3339 text; 0, None and "" are none.
    """
    moment = seconds_of(since)
    return span(max(0.0, now - moment)) if moment else "-"


def span(seconds: float) -> str:
    """A length of time in its largest unit that is not below 2, except for the smallest."""
    for unit, length in UNITS.items():
        if seconds >= 2 * length:
            return f"{seconds // length:.0f}{unit}"
    return f"{seconds:.0f}s"


def seconds_of(moment: object) -> float:
    """A row's time as seconds since the epoch; 0.0 where there is none."""
    if isinstance(moment, int | float):
        return float(moment)
    if isinstance(moment, str) and moment:
        return datetime.fromisoformat(moment).timestamp()
    return 0.0


def clock_time(moment: object) -> str:
    """A row's time as this machine's clock shows it: `2026-05-01 13:04:05`."""
    seconds = seconds_of(moment)
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S") if seconds else "-"


def countdown(until: object, now: float) -> int:
    """Whole seconds from now to `until`, rounded up; 0 once it has passed."""
    return max(0, math.ceil(seconds_of(until) - now))


def duration(text: str) -> float:
    """Seconds of a length of time such as `90s`, `10m`, `2h`, `3d`; 100 years at most. Raises BadInput."""
    number, unit = text[:-1], text[-1:]
    if unit not in UNITS or not number.isdecimal():
        raise BadInput(f'"{text}" is no length of time: write it as 90s, 10m, 2h or 3d')
    if not (seconds := float(number) * UNITS[unit]) <= LONGEST:
        raise BadInput("a length of time is at most 100 years: write it as 90s, 10m, 2h or 3d")
    return seconds


def size(amount: float) -> str:
    """Bytes, as `512 B`, `3.4 MB`, `16 GB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if amount >= 10 or unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def count(number: int, noun: str) -> str:
    """`1 task`, `3 tasks`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def shown_url(url: str) -> str:
    """A URL for the eyes of others: without the name and the password that may stand before its host."""
    return re.sub(r"(//|^)[^/?#]*@", rf"\1{HIDDEN}@", url)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` (did you mean "web"?)` where one of `known` is close to `word`, else nothing."""
    import difflib  # only for who mistyped

    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f' (did you mean "{close[0]}"?)' if close else ""


def said(subject: str, changes: Mapping[str, str]) -> str:
    """What a change did, in one line: `shop: db unchanged, web updated`, or `shop/web: scaled from 2 to 3`.

    `changes` is by service, with or without its stack before it.
    """
    if all(change == "unchanged" for change in changes.values()):
        return f"{subject}: nothing to change"
    parts = (
        change if name == subject else f"{name.removeprefix(f'{subject}/')} {change}"
        for name, change in sorted(changes.items())
    )
    return f"{subject}: {', '.join(parts)}"
