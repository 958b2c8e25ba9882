"""`healthcheck`."""

from __future__ import annotations

from typing import Any

from cluster.compose.canonical.quantities import duration
from cluster.compose.findings import quote
from cluster.compose.reading.keys import Table, filled, read
from cluster.compose.reading.value import Value

MOST_RETRIES = 1_000_000

_KINDS = ("CMD", "CMD-SHELL", "NONE")


def healthcheck(value: Value) -> dict[str, Any]:
    """How the health of a task is tested; what is left out is the image's."""
    keys = filled(read(value, HEALTHCHECK))
    if keys.get("disable") and keys.get("test", ["NONE"]) != ["NONE"]:
        raise value.refuse("is disabled, and has a test", "remove one of the two", "conflict")
    if "start_interval" in keys and not keys.get("start_period"):
        value.warn("start_interval has no effect without a start_period", "add start_period: 30s", "ignored")
    return keys


def _test(value: Value) -> list[str]:
    """A text is a command for a shell; a list says in its first word how it is run."""
    if not value.is_list:
        text = value.string()
        return ["CMD-SHELL", text] if text else []
    words = value.each(Value.rendered)
    if not words:
        return []
    if words[0] not in _KINDS:
        hint = f"the first word is one of {', '.join(_KINDS)}"
        raise value.refuse(f"a test cannot begin with {quote(words[0])}", hint, "choice")
    if len(words) == 1 and words[0] != "NONE":
        raise value.refuse(f"{words[0]} has no words after it", 'write ["CMD", "curl", "-f", "…"]')
    if len(words) > (1 if words[0] == "NONE" else 2) and words[0] != "CMD":
        value.warn(f"words after the first are no part of what {words[0]} runs", 'write ["CMD", "curl", "-f", "…"]')
    return words


HEALTHCHECK: Table = {
    "test": _test,
    "interval": duration,
    "timeout": duration,
    "retries": lambda value: value.integer(0, MOST_RETRIES),
    "start_period": duration,
    "start_interval": duration,
    "disable": Value.boolean,
}
