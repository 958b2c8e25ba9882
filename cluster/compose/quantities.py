"""Durations and sizes as compose files write them."""

from __future__ import annotations

import re

from cluster.compose.findings import quote
from cluster.compose.value import LARGEST_INTEGER, Value

_SECONDS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "μs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "w": 604800.0,
}
_DURATION_PART = re.compile(r"([0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15})(ns|us|µs|μs|ms|s|m|h|d|w)")
_SIZE = re.compile(r"([0-9]{1,20}(?:\.[0-9]{1,15})?) ?(?:([kmgtp])i?)?b?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
LONGEST_DURATION = 2**63 / 1e9
_LONGEST_TEXT = 100


def duration(value: Value) -> float:
    """Seconds, from Go's syntax with days and weeks added: `1h30m`, `1.5s`, `100ms`. The unit is mandatory."""
    text = value.rendered()
    if text == "0":
        return 0.0
    parts = _DURATION_PART.findall(text) if len(text) <= _LONGEST_TEXT else []
    if not parts or "".join(number + unit for number, unit in parts) != text:
        hint = f'say the unit, as in "{text}s"' if text.isdigit() and len(text) < 10 else 'write it as in "1m30s"'
        raise value.refuse(f"{quote(text)} is no duration", hint)
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if seconds > LONGEST_DURATION:
        raise value.refuse(f"{quote(text)} is too long", code="range")
    return round(seconds, 9)


def size(value: Value) -> int:
    """Bytes, from a number or a text with a binary unit: `512m`, `1.5 GiB`."""
    text = value.rendered()
    found = _SIZE.fullmatch(text) if len(text) <= _LONGEST_TEXT else None
    if found is None:
        raise value.refuse(f"{quote(text)} is no size", 'write it as in "512m" or "1.5g"')
    number, unit = found.groups()
    factor = 1024 ** _POWERS[(unit or "").lower()]
    total = int(number) * factor if number.isdigit() else int(float(number) * factor)
    if total > LARGEST_INTEGER:
        raise value.refuse(f"{quote(text)} is too large", code="range")
    return total
