"""Subnets and addresses: given by the Senate alone, because two engines' own allocators would give the same ones."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable

DEFAULT_POOL = "10.201.0.0/16"
PREFIX = 24
FIRST_HOST = 2  # .0 names the network and .1 is its gateway
MTU = 1450  # leaves room for a VXLAN header, so that a network may span machines later without new containers


class Exhausted(Exception):
    """The pool or the subnet has nothing left. The text says which, and what to do."""


def free_subnet(pool: str, taken: Iterable[str]) -> str:
    """The first subnet of the pool that overlaps none of `taken` (CIDR texts). Raises Exhausted."""
    used = [ipaddress.ip_network(text, strict=False) for text in taken if ":" not in text]
    whole = ipaddress.ip_network(pool)
    for subnet in whole.subnets(new_prefix=max(PREFIX, whole.prefixlen)):
        if not any(subnet.overlaps(other) for other in used):
            return str(subnet)
    raise Exhausted(f"every subnet of the network pool {pool} is in use: remove a stack, or give gbnt a larger pool")


def gateway(subnet: str) -> str:
    """The subnet's first address."""
    return str(ipaddress.ip_network(subnet)[1])


def free_address(subnet: str, start: int, taken: Collection[str]) -> tuple[str, int]:
    """The next free address at or after host number `start`, and where the next search starts. Raises Exhausted.

    Going round the subnet, rather than taking the lowest free one, lets a freed address rest: whoever still has it
    in a cache reaches nobody instead of somebody else.
    """
    network = ipaddress.ip_network(subnet)
    hosts = network.num_addresses - 1 - FIRST_HOST
    for step in range(hosts):
        host = FIRST_HOST + (start - FIRST_HOST + step) % hosts
        address = str(network[host])
        if address not in taken:
            return address, FIRST_HOST + (host - FIRST_HOST + 1) % hosts
    raise Exhausted(f"all {hosts} addresses of the subnet {subnet} are in use: scale down, or use another network")
