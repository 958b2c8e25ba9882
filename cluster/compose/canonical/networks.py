"""Networks: the file's own, and a service's places on them."""

from __future__ import annotations

import ipaddress
import re
from functools import partial
from typing import Any

from cluster.compose.canonical.external import external, named
from cluster.compose.canonical.pairs import options, texts
from cluster.compose.canonical.scope import Scope
from cluster.compose.findings import quote
from cluster.compose.reading.keys import Table, filled, ignored, later, read
from cluster.compose.reading.value import Value

DEFAULT = "default"

# Every network of a stack is gbnt's own, and does what these drivers do.
_OWN_DRIVERS = ("", "default", "bridge", "overlay")
_LARGEST_PRIORITY = 2**31 - 1
_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}")


def attachments(value: Value) -> dict[str, Any]:
    """`networks` of a service: a list of names, or a map of names to options."""
    if value.is_list:
        return dict.fromkeys(sorted(set(value.each(Value.string))))
    found = {name: child.attempt(_attachment) for name, child in sorted(value.entries(or_list=True).items())}
    return {name: one or None for name, one in found.items()}


def _attachment(value: Value) -> dict[str, Any]:
    return filled(read(value, ATTACHMENT))


def _address(value: Value, version: int) -> str:
    text = value.string()
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        address = None
    if address is None or address.version != version:
        example = "10.1.0.5" if version == 4 else "2001:db8::5"
        raise value.refuse(f"{quote(text)} is no IPv{version} address", f'write it as in "{example}"')
    return str(address)


def _any_address(value: Value) -> str:
    text = value.string()
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise value.refuse(f"{quote(text)} is no IP address", 'write it as in "169.254.8.8"') from None


def mac_address(value: Value) -> str:
    """An Ethernet address of 48 bits."""
    text = value.string()
    if _MAC.fullmatch(text) is None:
        raise value.refuse(f"{quote(text)} is no MAC address", 'write it as in "02:42:ac:11:00:02"')
    return text


def network(key: str, value: Value, scope: Scope) -> dict[str, Any]:
    """An entry of the top-level `networks`."""
    return {"ipam": {}, **filled(named(key, read(value, NETWORK), scope.stack), "ipam")}


def _driver(value: Value) -> str:
    text = value.string()
    if text not in _OWN_DRIVERS:
        hint = f"leave it out, or write one of {', '.join(_OWN_DRIVERS[2:])}"
        value.withhold(f"the driver {quote(text)} is not supported yet: each network is gbnt's own", hint)
    return text


def _ipam(value: Value) -> dict[str, Any]:
    keys = filled(read(value, IPAM))
    if len([1 for part in keys.get("config", []) if "subnet" in part]) > 1:
        value.warn("more than one subnet is not supported yet: the first is used", code="unsupported")
    return keys


def _subnet(value: Value) -> str:
    text = value.string()
    try:
        subnet = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise value.refuse(f"{quote(text)} is no subnet: {error}", 'write it as in "10.1.0.0/24"') from None
    if str(subnet) != text and "/" in text:
        value.withhold(f"{quote(text)} is no subnet: it names an address in one", f'write "{subnet}"', "range")
    if subnet.version != 4:
        value.warn("IPv6 is not supported yet: the subnet has no effect", code="unsupported")
    return str(subnet)


def _ipam_config(value: Value) -> dict[str, Any]:
    return filled(read(value, IPAM_CONFIG))


def _ipv6(value: Value) -> bool:
    wanted = value.boolean()
    if wanted:
        value.warn("IPv6 is not supported yet: the network has IPv4 alone", code="unsupported")
    return wanted


def _ipv4(value: Value) -> bool:
    wanted = value.boolean()
    if not wanted:
        value.withhold("a network without IPv4 is not supported yet")
    return wanted


ATTACHMENT: Table = {
    "aliases": Value.texts,
    "ipv4_address": partial(_address, version=4),
    "priority": ignored(lambda value: value.integer(-_LARGEST_PRIORITY, _LARGEST_PRIORITY)),
    "driver_opts": options,
    "gw_priority": lambda value: value.integer(-_LARGEST_PRIORITY, _LARGEST_PRIORITY),
    "link_local_ips": lambda value: value.each(_any_address),
    "mac_address": mac_address,
    **later(interface_name=Value.string, ipv6_address=partial(_address, version=6)),
}
IPAM_CONFIG: Table = {
    "subnet": _subnet,
    **later(aux_addresses=options, gateway=_any_address, ip_range=_subnet),
}
IPAM: Table = {
    "config": lambda value: value.each(_ipam_config),
    "driver": ignored(Value.string, "the addresses are gbnt's own to give"),
    **later(options=options),
}
NETWORK: Table = {
    "name": Value.string,
    "external": external,
    "internal": Value.boolean,
    "attachable": ignored(Value.boolean),
    "driver": _driver,
    "driver_opts": options,
    "enable_ipv4": _ipv4,
    "enable_ipv6": _ipv6,
    "ipam": _ipam,
    "labels": texts,
}
