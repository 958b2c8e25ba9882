"""What a stream may be sent beside text: colours, and lines that are drawn anew."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TextIO


def draws(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether it is a terminal that moves its cursor where it is told to."""
    return stream.isatty() and environment.get("TERM") != "dumb"


def colours(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether it is a terminal with colours, and nobody has asked for none: see https://no-color.org."""
    return draws(stream, environment) and not environment.get("NO_COLOR")
