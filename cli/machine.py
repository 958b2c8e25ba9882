"""What this machine says of itself."""

from __future__ import annotations

import socket


def address_towards_default_route() -> str:
    """The address from which this machine would speak to the world; loopback where it has no way there.

    Connecting a datagram socket sends nothing: it only asks the kernel for a route (192.0.2.1 is RFC 5737's).
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])
