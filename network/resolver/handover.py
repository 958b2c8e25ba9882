"""A newer resolver in the place of an older one: the same process, lock and sockets, so that no question is lost.

While the new program starts, datagrams and connections wait in the sockets that it inherits.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping, Sequence
from typing import NoReturn

VARIABLE = "GBNT_RESOLVER_INHERITED"

Pair = tuple[socket.socket, socket.socket]
"""The UDP and the TCP socket of one address."""


def become(command: Sequence[str], lock: int, pairs: Mapping[str, Pair]) -> NoReturn:
    """Run `command` in this process from now on. Raises OSError where it cannot be run."""
    passed = {address: [sock.fileno() for sock in pair] for address, pair in pairs.items()}
    descriptors = [lock, *(descriptor for pair in passed.values() for descriptor in pair)]
    try:
        for descriptor in descriptors:
            os.set_inheritable(descriptor, True)
        inherited = json.dumps({"lock": lock, "sockets": passed})
        os.execvpe(command[0], list(command), {**os.environ, VARIABLE: inherited})
    finally:
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)


def inherited() -> tuple[int, dict[str, Pair]] | None:
    """The lock and the sockets of the resolver that this process was before; None where it was none. Once only."""
    text = os.environ.pop(VARIABLE, None)
    if text is None:
        return None
    passed = json.loads(text)
    pairs = {address: (_adopted(pair[0]), _adopted(pair[1])) for address, pair in passed["sockets"].items()}
    os.set_inheritable(passed["lock"], False)
    return passed["lock"], pairs


def _adopted(descriptor: int) -> socket.socket:
    sock = socket.socket(fileno=descriptor)
    sock.set_inheritable(False)
    sock.setblocking(False)
    return sock
