"""Networks: the file's own, and a service's places on them."""

from __future__ import annotations

import ipaddress
from functools import partial

from cluster.compose.environment import texts
from cluster.compose.external import external, name_of
from cluster.compose.findings import quote
from cluster.compose.keys import Fact, Table, Unread, later, read
from cluster.compose.value import Value
from cluster.spec import Attachment, NetworkSpec

DEFAULT = "default"

# Every network of a stack is gbnt's own, and does what these drivers do.
_OWN_DRIVERS = ("", "default", "bridge", "overlay")


def attachments(value: Value) -> tuple[Attachment, ...]:
    """`networks` of a service: a list of names, or a map of names to options. An empty one is the default network."""
    if value.is_list:
        found = [Attachment(name) for name in sorted(set(value.each(Value.string)))]
    else:
        read_all = (child.attempt(partial(_attachment, name)) for name, child in sorted(value.entries().items()))
        found = [attachment for attachment in read_all if attachment is not None]
    return tuple(found) or (Attachment(DEFAULT),)


def _attachment(name: str, value: Value) -> Attachment:
    keys = read(value, _ATTACHMENT)
    return Attachment(name, keys.get("aliases", ()), keys.get("ipv4_address", ""))


def _ipv4(value: Value) -> str:
    text = value.string()
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise value.refuse(f"{quote(text)} is no IPv4 address", 'write it as in "10.1.0.5"') from None


def network(key: str, value: Value, stack: str) -> NetworkSpec:
    """An entry of the top-level `networks`."""
    keys = read(value, _NETWORK)
    name = name_of(key, keys, stack)
    if "external" in keys:
        return NetworkSpec(name, external=True)
    return NetworkSpec(
        name,
        internal=keys.get("internal", False),
        subnet=keys.get("ipam", ""),
        labels=keys.get("labels", {}),
        options=keys.get("driver_opts", {}),
    )


def _driver(value: Value) -> str:
    text = value.string()
    if text not in _OWN_DRIVERS:
        value.warn(f"the driver {quote(text)} is not supported yet: the network is gbnt's own", code="unsupported")
    return text


def _ipam(value: Value) -> str:
    """The first subnet; gbnt gives the addresses in it."""
    subnets: list[str] = read(value, _IPAM).get("config", [])
    if len(subnets) > 1:
        value.warn("more than one subnet is not supported yet: the first is used", code="unsupported")
    return subnets[0] if subnets else ""


def _subnet(value: Value) -> str:
    text = value.string()
    try:
        subnet = ipaddress.ip_network(text)
    except ValueError as error:
        raise value.refuse(f"{quote(text)} is no subnet: {error}", 'write it as in "10.1.0.0/24"') from None
    if subnet.version != 4:
        value.warn("IPv6 is not supported yet: the subnet has no effect", code="unsupported")
        return ""
    return str(subnet)


def _ipam_config(value: Value) -> str | None:
    return read(value, _IPAM_CONFIG).get("subnet") or None


_ATTACHMENT: Table = {
    "aliases": Value.texts,
    "ipv4_address": _ipv4,
    **later(
        "driver_opts", "gw_priority", "interface_name", "ipv6_address", "link_local_ips", "mac_address", "priority"
    ),
}
_IPAM_CONFIG: Table = {"subnet": _subnet, **later("aux_addresses", "gateway", "ip_range")}
_IPAM: Table = {
    "config": lambda value: value.each(_ipam_config),
    "driver": Fact(Unread.IGNORED, "the addresses are gbnt's own to give"),
    **later("options"),
}
_NETWORK: Table = {
    "name": Value.string,
    "external": external,
    "internal": Value.boolean,
    "driver": _driver,
    "driver_opts": texts,
    "ipam": _ipam,
    "labels": texts,
    **later("attachable", "enable_ipv4", "enable_ipv6"),
}
