"""`ports` and `expose`.

The short form is `[ip:][published[-last]:]target[-last][/protocol]`. Two ranges of one length are that many ports; a
range for one target lets each task take a free port of the range.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any, get_args

from cluster.compose.bounds import LARGEST_PORT
from cluster.compose.canonical.scope import Scope
from cluster.compose.findings import quote
from cluster.compose.reading.keys import Table, ignored, read
from cluster.compose.reading.value import Value
from cluster.spec import Protocol

_SHORT = re.compile(r"(?:(?:(\[[^\]]*\]|[^:\[\]]*):)?([0-9]*(?:-[0-9]+)?):)?([0-9]+(?:-[0-9]+)?)(?:/([A-Za-z]+))?")
_FORM = 'write it as in "8080:80" or "127.0.0.1:8080:80/udp"'
_PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)


def ports(value: Value, scope: Scope) -> list[dict[str, Any]]:
    """All that a service publishes, ranges written out, each once; of two that say the same of it the last wins."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for item in value.items():
        for port in item.attempt(lambda item: _ports(item, scope)) or ():
            key = tuple(port.get(part) for part in ("host_ip", "target", "published", "protocol"))
            if key not in found:
                scope.origins[(*value.path, len(found))] = item.place
            found[key] = port
    return list(found.values())


def _ports(item: Value, scope: Scope) -> list[dict[str, Any]]:
    if item.is_map:
        return [_long(item)]
    text = item.rendered()
    found = _SHORT.fullmatch(text) if len(text) <= 200 else None
    if found is None:
        raise item.refuse(f"{quote(text)} is no port", _FORM)
    host_ip, published, target, protocol = found.groups()
    base = {"mode": "ingress", "protocol": _protocol(item, protocol or "tcp")}
    if address := _address(item, host_ip or ""):
        base["host_ip"] = address
    return _pairs(item, base, _range(item, published or ""), _range(item, target), scope)


def _pairs(item: Value, base: dict[str, str], published: range, target: range, scope: Scope) -> list[dict[str, Any]]:
    if target.start < 1:
        raise item.refuse("0 is no port of a container", code="range")
    scope.ports.spend(len(target), item)
    if len(target) == 1:
        return [_made(base, target.start, published)]
    if not published:
        return [_made(base, number, published) for number in target]
    if len(published) != len(target):
        raise item.refuse(
            f"{len(published)} published ports for {len(target)} of the container", "make the ranges equal"
        )
    return [_made(base, inner, range(outer, outer + 1)) for outer, inner in zip(published, target, strict=True)]


def _made(base: dict[str, str], target: int, published: range) -> dict[str, Any]:
    return {**base, "target": target, **({"published": _text(published)} if published else {})}


def _text(numbers: range) -> str:
    """A range as it is written."""
    return f"{numbers.start}-{numbers.stop - 1}" if len(numbers) > 1 else str(numbers.start)


def _long(item: Value) -> dict[str, Any]:
    keys = read(item, LONG, {"target": "name the container's port: target: 80"})
    published = keys.pop("published", range(0))
    keys = {key: found for key, found in keys.items() if found != ""}
    return _made({"mode": "ingress", "protocol": "tcp", **keys}, keys["target"], published)


def _published(value: Value) -> range:
    return _range(value, value.rendered())


def _range(value: Value, text: str) -> range:
    """Ports as written: "", "80" or "80-90"; 0 is any that is free."""
    if not text:
        return range(0)
    first, dash, last = text.partition("-")
    numbers = [_number(value, part) for part in ((first, last) if dash else (first,))]
    if numbers[-1] < numbers[0]:
        raise value.refuse(f"the range {quote(text)} ends before it begins", code="range")
    return range(numbers[0], numbers[-1] + 1)


def _number(value: Value, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise value.refuse(f"{quote(text)} is no port", _FORM)
    if len(text) > 6 or int(text) > LARGEST_PORT:
        raise value.refuse(f"{quote(text)} is no port: the largest is {LARGEST_PORT}", code="range")
    return int(text)


def _protocol(value: Value, text: str) -> Protocol:
    for protocol in _PROTOCOLS:
        if text.lower() == protocol:
            return protocol
    raise value.refuse(f"{quote(text)} is none of {', '.join(_PROTOCOLS)}", code="choice")


def _address(value: Value, text: str) -> str:
    bare = text.removeprefix("[").removesuffix("]")
    if not bare:
        return ""
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        raise value.refuse(f"{quote(text)} is no IP address", _FORM) from None


LONG: Table = {
    "target": lambda value: value.integer(1, LARGEST_PORT),
    "published": _published,
    "protocol": lambda value: _protocol(value, value.string()),
    "host_ip": lambda value: _address(value, value.string()),
    "mode": lambda value: value.word(("ingress", "host")),
    "name": ignored(Value.string),
    "app_protocol": ignored(Value.string),
}


def expose(value: Value) -> list[str]:
    """`expose`: ports and ranges, each as it is written."""
    return list(dict.fromkeys(value.each(_exposed)))


def _exposed(item: Value) -> str:
    text, _, protocol = item.rendered().partition("/")
    numbers = _range(item, text)
    if not numbers or not numbers.start:
        raise item.refuse("0 is no port of a container", code="range")
    return f"{_text(numbers)}/{_protocol(item, protocol)}" if protocol else _text(numbers)
