"""`healthcheck`."""

from __future__ import annotations

from dataclasses import fields

from cluster.compose.findings import quote
from cluster.compose.keys import Table, read
from cluster.compose.quantities import duration
from cluster.compose.value import Value
from cluster.spec import Healthcheck

MOST_RETRIES = 1_000_000
OFF = ("NONE",)

_KINDS = ("CMD", "CMD-SHELL", "NONE")


def healthcheck(value: Value) -> Healthcheck:
    """How the health of a task is tested; what is left out is the image's."""
    keys = read(value, _TABLE)
    if keys.pop("disable", False):
        if keys.get("test", OFF) != OFF:
            raise value.refuse("is disabled, and has a test", "remove one of the two", "conflict")
        return Healthcheck(OFF)
    if "start_interval" in keys and not keys.get("start_period"):
        value.warn("start_interval has no effect without a start_period", "add start_period: 30s", "ignored")
    return Healthcheck(**{field.name: keys[field.name] for field in fields(Healthcheck) if field.name in keys})


def _test(value: Value) -> tuple[str, ...]:
    """A text is a command for a shell; a list says in its first word how it is run."""
    if not value.is_list:
        text = value.string()
        return ("CMD-SHELL", text) if text else ()
    words = tuple(value.each(Value.rendered))
    if not words:
        return ()
    if words[0] not in _KINDS:
        hint = f"the first word is one of {', '.join(_KINDS)}"
        raise value.refuse(f"a test cannot begin with {quote(words[0])}", hint, "choice")
    if (words[0] == "NONE") != (len(words) == 1) or (words[0] == "CMD-SHELL" and len(words) != 2):
        raise value.refuse(f"{words[0]} has the wrong number of words after it", 'write ["CMD", "curl", "-f", "…"]')
    return words


_TABLE: Table = {
    "test": _test,
    "interval": duration,
    "timeout": duration,
    "retries": lambda value: value.integer(0, MOST_RETRIES),
    "start_period": duration,
    "start_interval": duration,
    "disable": Value.boolean,
}
