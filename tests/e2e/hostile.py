"""Bodies that are good but for one place, where something stands that a program or an enemy may send."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[str | int, ...]

VALUES = (
    *("null", "true", "-1", "0", "1.5", "-0", "1e400", "NaN", str(2**63), str(2**64), str(-(2**63) - 1), "9" * 400),
    *(r'"\u0000"', r'"x\u0000y"', r'"\ud800"', r'"\ufffe"', '""', '" "', r'"\n"', '"../../x"', '"a:b:c"', '"\'; x"'),
    *(f'"{"x" * 70_000}"', "[]", "{}", "[[]]", '{"": ""}', r'{"\u0000": "x"}', '{"a": {"a": {}}}', '["", ""]'),
)
"""As JSON has them: Python's own writer would mend some."""

NOT_THERE = frozenset({"image", "image_id", "digest", "built_on"})
"""A registry would be asked for what is in these."""

MARK = "the place"


def bodies(schema: Mapping[str, Any], components: Mapping[str, Any], good: Mapping[str, Any]) -> Iterator[bytes]:
    """The good body with each value at each place that the schema has."""
    for place in _places(schema, components, good):
        text = json.dumps(_with(good, place, MARK))
        for value in VALUES:
            yield text.replace(json.dumps(MARK), value).encode()


def _places(schema: Mapping[str, Any], components: Mapping[str, Any], good: object, path: Path = ()) -> Iterator[Path]:
    if reference := schema.get("$ref"):
        yield from _places(components[reference.rpartition("/")[2]], components, good, path)
    for other in schema.get("anyOf", ()):
        yield from _places(other, components, good, path)
    for name, part in schema.get("properties", {}).items():
        if name not in NOT_THERE:
            yield (*path, name)
            yield from _places(part, components, _at(good, name), (*path, name))
    within = schema.get("additionalProperties")
    if isinstance(within, Mapping):
        name = next(iter(good), "a") if isinstance(good, Mapping) else "a"
        yield (*path, name)
        yield from _places(within, components, _at(good, name), (*path, name))
    if isinstance(good, list) and good and "items" in schema:
        yield from _places(schema["items"], components, good[0], (*path, 0))


def _at(good: object, name: str) -> object:
    return good.get(name) if isinstance(good, Mapping) else None


def _with(good: object, place: Path, value: object) -> object:
    """A copy that has the value at a place, which is made where it is not there."""
    if not place:
        return value
    head, rest = place[0], place[1:]
    if isinstance(head, int):
        assert isinstance(good, list)
        return [_with(good[head], rest, value), *good[1:]]
    known = good if isinstance(good, Mapping) else {}
    return {**known, head: _with(known.get(head), rest, value)}
