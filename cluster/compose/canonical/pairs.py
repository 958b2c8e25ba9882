"""All that is a map of texts or a list of `KEY=value`: variables, labels, options."""

from __future__ import annotations

from cluster.compose.findings import quote
from cluster.compose.reading.value import Value


def pairs(value: Value) -> dict[str, str | None]:
    """A map, or a list of `KEY=value`. None stands for a key without a value; of a key's values the last wins."""
    if value.is_list:
        return dict(value.each(_pair))
    found: dict[str, str | None] = {}
    for key, child in value.entries(or_list=True).items():
        if child.is_null:
            found[_name(key, child)] = None
        elif (text := child.attempt(Value.rendered)) is not None:
            found[_name(key, child)] = text
    return found


def texts(value: Value) -> dict[str, str]:
    """The same where a key without a value has an empty one, as with labels."""
    return {key: text or "" for key, text in pairs(value).items()}


def options(value: Value) -> dict[str, str]:
    """A map of texts; there is no list of them."""
    if not (value.is_map or value.is_null):
        raise value.refuse(f"must be a map, not {value.kind}", 'write "KEY: value"', "type")
    return texts(value)


def _pair(item: Value) -> tuple[str, str | None]:
    if item.is_map:
        raise item.refuse(
            "must be a text", 'write "KEY=value", without a colon, or make it a map without dashes', "type"
        )
    key, equals, text = item.rendered().partition("=")
    return _name(key, item), text if equals else None


def _name(key: str, value: Value) -> str:
    if not key or "=" in key or "\0" in key:
        raise value.refuse(f"{quote(key)} cannot be a name", 'a name is not empty and holds no "="')
    return key
