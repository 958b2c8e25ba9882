"""A request's JSON body as a dataclass: bounded, strict, and refused in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import TypeVar, cast

import orjson
from anyio import to_thread
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request

from portal.api.problems import Problem

SMALL = 64 * 1024
"""Enough for all that is not a stack, or made of many things."""
LARGE = 16 * 1024 * 1024
MOST_VALUES = 500_000
"""In one body: some thousand services with all that can be said of each."""

T = TypeVar("T")


async def body_of(request: Request, kind: type[T], largest: int = SMALL) -> T:
    """The body as a `kind`. Raises Problem for what is too large, of another type, or under a key that is not known."""
    body = await _read(request, largest) or b"{}"
    if body.count(b",") > MOST_VALUES:  # one stands between any two, and none needs as many in a text
        raise Problem("invalid", f"the body has more than {MOST_VALUES} values", status=413)
    if len(body) <= SMALL:
        return parsed(body, kind)
    return await to_thread.run_sync(parsed, body, kind)  # it takes long: nobody else is to wait for it


def parsed(data: str | bytes, kind: type[T]) -> T:
    """The same of what was read already."""
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise Problem("invalid", f"the body is no JSON: {error.msg}") from None
    try:
        # mypy takes a class's __hash__, which is its instances', for its own.
        value = _adapter(kind).validate_json(data, strict=True)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Problem("invalid", f"the body is wrong{f' at {place}' if place else ''}: {first['msg']}") from None
    # An older manager must not leave out in silence what a newer client asks for.
    for place in _unknown(document, value):
        raise Problem("invalid", f"the body has a key that this manager does not know: {place}; is it an older gbnt?")
    for place, why in _unkept(value):
        raise Problem("invalid", f"the body is wrong{f' at {place}' if place else ''}: {why}")
    return cast(T, value)


async def _read(request: Request, largest: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > largest:
            size = f"{largest >> 20} MiB" if largest >= 1 << 20 else f"{largest >> 10} KiB"
            raise Problem("invalid", f"the body is larger than {size}", status=413)
    return bytes(body)


@cache
def _adapter(kind: type[object]) -> TypeAdapter[object]:
    return TypeAdapter(kind)


def _unkept(value: object, place: str = "") -> Iterator[tuple[str, str]]:
    """The places of what no store, no kernel and no answer has room for, and why."""
    match value:
        case str() if "\0" in value:
            yield place, "a text cannot have a NUL character"
        case int() if not -(2**63) <= value < 2**63:
            yield place, "the number does not fit into 64 bits"
        case float() if not math.isfinite(value):
            yield place, "the number is too large"
        case str():
            return
        case Mapping():
            for key, part in value.items():
                yield from _unkept(key, place)
                yield from _unkept(part, f"{place}.{key}" if place else str(key))
        case Sequence():
            for number, part in enumerate(value):
                yield from _unkept(part, f"{place}.{number}")
        case _ if is_dataclass(value):
            for field in fields(value):
                yield from _unkept(getattr(value, field.name), f"{place}.{field.name}" if place else field.name)


def _unknown(document: object, value: object, place: str = "") -> Iterator[str]:
    """The places in a document that did not become part of the value."""
    if isinstance(document, dict) and is_dataclass(value):
        known = {field.name for field in fields(value)}
        for key, part in document.items():
            below = f"{place}.{key}" if place else key
            if key not in known:
                yield below
            else:
                yield from _unknown(part, getattr(value, key), below)
    elif isinstance(document, dict) and isinstance(value, Mapping):
        for key, part in document.items():
            yield from _unknown(part, value[key], f"{place}.{key}")
    elif isinstance(document, list) and isinstance(value, Sequence):
        for number, part in enumerate(document):
            yield from _unknown(part, value[number], f"{place}.{number}")
