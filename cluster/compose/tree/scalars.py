"""What an unquoted YAML scalar means in a compose file.

Compose files are neither YAML 1.1 nor 1.2. As in Docker's own loader `yes`, `on` and `12:30` are texts, `0777` is
octal, and dates stay texts.
"""

from __future__ import annotations

import math
import re
from typing import TypeAlias

Plain: TypeAlias = "str | int | float | bool | None"

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_STARTS_A_NUMBER = frozenset("+-.0123456789")
_INTEGER = re.compile(r"([-+]?)(?:0x([0-9a-fA-F]+)|0b([01]+)|0o?([0-7]+)|(0|[1-9][0-9]*))")
_BASES = (16, 2, 8, 10)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"([-+]?)\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_LARGEST_INTEGER = 2**64
# Longer digits are no number that a compose file means, and converting them takes quadratic time.
_LONGEST_NUMBER = 400


def resolve(text: str) -> Plain:
    """The value of the plain scalar `text`."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if text[0] not in _STARTS_A_NUMBER or len(text) > _LONGEST_NUMBER:
        return text
    return _number(text)


def _number(text: str) -> str | int | float:
    digits = text.replace("_", "")
    if found := _INTEGER.fullmatch(digits):
        sign, *groups = found.groups()
        value = next(int(group, base) for group, base in zip(groups, _BASES, strict=True) if group is not None)
        if value < _LARGEST_INTEGER:
            return -value if sign == "-" else value
        digits = str(value)
    if _FLOAT.fullmatch(digits):
        number = float(digits)
        return text if math.isinf(number) else number
    if found := _SPECIAL.fullmatch(text):
        return math.nan if found[1] is None else float(f"{found[1]}inf")
    return text


def render(value: Plain) -> str:
    """A value as text where the engine wants texts: `1.10` becomes "1.1" and `true` "true", as Compose does it."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return _render_float(value)
        case _:
            return str(value)


def _render_float(value: float) -> str:
    """Go's `FormatFloat(x, 'g', -1)`: the shortest digits that read back, with an exponent below 1e-4 and from 1e6."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    from decimal import Decimal  # few files hold a fraction

    digits = Decimal(repr(value)).normalize()
    exponent = digits.adjusted()
    return f"{digits:f}" if -4 <= exponent < 6 else f"{digits.scaleb(-exponent):f}e{exponent:+03d}"
