"""The id of a request: by it the caller's word, the log's lines and the cluster's events are found together."""

from __future__ import annotations

import re
from contextvars import ContextVar
from secrets import token_hex

HEADER = "x-request-id"

REQUEST: ContextVar[str] = ContextVar("request", default="")
"""The id of the request that is being served; empty outside of any."""

_FIT = re.compile(r"[A-Za-z0-9._-]{1,64}")


def chosen(given: str) -> str:
    """The id that a caller gave, where it is one that may stand in a log; else a new one."""
    return given if _FIT.fullmatch(given) else token_hex(8)
