"""When what a machine has counts as what a constraint names, and which of two values is the greater."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network

PARTS = 6

_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?")
_VERSION = re.compile(r"v?(\d{1,15}(?:\.\d{1,15})*)")
# One machine, two vocabularies: the kernel's and that of images.
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}


def same(key: str, found: str, wanted: str) -> bool:
    """Whether a machine's value under a constraint's key is the one that is named; upper and lower case are alike.

    Architectures have two names each, and an address is in a network in CIDR notation.
    """
    if key == "node.platform.arch":
        return _architecture(found) == _architecture(wanted)
    if key == "node.ip" and "/" in wanted:
        return _within(found, wanted)
    return found.lower() == wanted.lower()


def is_ordered(text: str) -> bool:
    """Whether it can be compared with: a number, or a version as `v5.10`."""
    return bool(_NUMBER.fullmatch(text) or _VERSION.fullmatch(text))


def compare(one: str, other: str) -> int | None:
    """The sign of one less the other: two plain numbers as numbers, else both as versions; None where they are none.

    So 5.10 is less than 5.9, and v5.10 is greater. What follows a version, as in `20.10.5+dfsg1`, does not count.
    """
    if _NUMBER.fullmatch(one) and _NUMBER.fullmatch(other):
        return _sign(float(one) - float(other))
    first, second = _version(one), _version(other)
    if first is None or second is None:
        return None
    return next((_sign(mine - theirs) for mine, theirs in zip(first, second, strict=True) if mine != theirs), 0)


def _version(text: str) -> list[int] | None:
    found = _VERSION.match(text)
    if found is None:
        return None
    parts = [int(part) for part in found[1].split(".")[:PARTS]]
    return parts + [0] * (PARTS - len(parts))


def _sign(difference: float) -> int:
    return (difference > 0) - (difference < 0)


def _architecture(name: str) -> str:
    return _ARCHITECTURES.get(name.lower(), name.lower())


def _within(address: str, network: str) -> bool:
    try:
        return ip_address(address) in ip_network(network, strict=False)
    except ValueError:  # a machine may be known by its name
        return False
