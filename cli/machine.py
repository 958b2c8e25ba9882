"""What this machine says of itself."""

from __future__ import annotations

import socket
from ipaddress import ip_address


def address_towards_default_route() -> str:
    """The address from which this machine would speak to the world; loopback where it has no way there."""
    return address_towards("192.0.2.1")  # RFC 5737's, for documentation


def address_towards(host: str) -> str:
    """The address from which this machine would speak to a host; loopback where it has no way there.

    Connecting a datagram socket sends nothing: it only asks the kernel for a route.
    """
    try:
        family, kind, _, _, where = socket.getaddrinfo(host, 9, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as probe:
            probe.connect(where)
            return str(probe.getsockname()[0])
    except OSError:
        return "127.0.0.1"


def is_loopback(host: str) -> bool:
    """Whether an address leads to whoever uses it; a name is taken for one that does not."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
