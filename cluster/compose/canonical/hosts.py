"""`extra_hosts`."""

from __future__ import annotations

import ipaddress

from cluster.compose.findings import quote
from cluster.compose.reading.value import Value

_GATEWAY = "host-gateway"


def extra_hosts(value: Value) -> list[str]:
    """`host:address` or `host=address`, or a map of hosts to one address or a list of them; as `host=address`."""
    if value.is_list:
        return sorted(set(value.each(_host)))
    hosts: set[str] = set()
    for name, child in value.entries().items():
        addresses = child.items() if child.is_list else [child]
        hosts.update(f"{name}={_address(address, address.string())}" for address in addresses)
    return sorted(hosts)


def _host(item: Value) -> str:
    text = item.string()
    name, separator, address = text.partition("=" if "=" in text else ":")
    if not name or not separator:
        raise item.refuse(f"{quote(text)} is no host and address", 'write it as in "db.example:10.1.0.5"')
    return f"{name}={_address(item, address)}"


def _address(item: Value, text: str) -> str:
    bare = text.removeprefix("[").removesuffix("]")
    if bare == _GATEWAY:
        return bare
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        raise item.refuse(f"{quote(text)} is no IP address", 'write it as in "10.1.0.5"') from None


def address(item: Value) -> str:
    """An IP address, as of a name server."""
    text = item.string()
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise item.refuse(f"{quote(text)} is no IP address", 'write it as in "10.1.0.5"') from None
