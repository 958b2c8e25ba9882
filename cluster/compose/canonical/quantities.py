"""Durations and sizes as compose files write them, and the one form of each."""

from __future__ import annotations

import re
from decimal import Decimal

from cluster.compose.findings import quote
from cluster.compose.reading.value import LARGEST_INTEGER, Value

_NANOSECONDS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
    "d": 24 * 3600 * 10**9,
    "w": 7 * 24 * 3600 * 10**9,
}
_DURATION_PART = re.compile(r"([0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15})(ns|us|µs|μs|ms|s|m|h|d|w)")
_SIZE = re.compile(r"([0-9]{1,20}(?:\.[0-9]{1,15})?) ?(?:([kmgtp])i?)?b?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_LONGEST_TEXT = 100


def nanoseconds(text: str) -> int | None:
    """A duration in Go's syntax with days and weeks added, `1h30m`, `1.5s`, `100ms`; None where it is none."""
    if text == "0":
        return 0
    parts = _DURATION_PART.findall(text) if len(text) <= _LONGEST_TEXT else []
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(int(Decimal(number) * _NANOSECONDS[unit]) for number, unit in parts)


def duration(value: Value) -> str:
    """A duration, as Go writes it: `1m30s`. The unit is mandatory."""
    text = value.quantity()
    count = nanoseconds(text)
    if count is None:
        hint = f'say the unit, as in "{text}s"' if text.isdigit() and len(text) < 10 else 'write it as in "1m30s"'
        raise value.refuse(f"{quote(text)} is no duration", hint)
    if count > LARGEST_INTEGER:
        raise value.refuse(f"{quote(text)} is too long", code="range")
    return written(count)


def written(count: int) -> str:
    """Nanoseconds as Go writes them: `1h0m0s`, `1.5s`, `100ms`."""
    for unit in ("ns", "µs", "ms"):
        if 0 < count < 1000 * _NANOSECONDS[unit]:
            return f"{_decimal(Decimal(count) / _NANOSECONDS[unit])}{unit}"
    minutes, rest = divmod(count, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    ahead = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{ahead}{_decimal(Decimal(rest) / 10**9)}s"


def _decimal(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def size(value: Value) -> int:
    """Bytes, from a number or a text with a binary unit: `512m`, `1.5 GiB`."""
    text = value.quantity()
    found = _SIZE.fullmatch(text) if len(text) <= _LONGEST_TEXT else None
    if found is None:
        raise value.refuse(f"{quote(text)} is no size", 'write it as in "512m" or "1.5g"')
    number, unit = found.groups()
    factor = 1024 ** _POWERS[(unit or "").lower()]
    total = int(number) * factor if number.isdigit() else int(Decimal(number) * factor)
    if total > LARGEST_INTEGER:
        raise value.refuse(f"{quote(text)} is too large", code="range")
    return total


def bytes_text(value: Value) -> str:
    """A size as a text of digits, which is how Compose writes it."""
    return str(size(value))


def swap(value: Value) -> str:
    """The same, or -1 for no limit."""
    return "-1" if value.rendered() == "-1" else bytes_text(value)
