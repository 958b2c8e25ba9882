"""The resolver's control socket: one JSON object a line in, one a line out.

    {"op": "zones", "zones": {...}}   put these zones in force; answered once they are (a barrier)
    {"op": "status"}                  say how things are
    {"op": "replace", "command": []}  answer, then become this program, which inherits the sockets
    {"op": "stop"}                    answer, then end

Each is answered by the status: `serial`, `version`, `pid`, `listening`, `bind_errors` (address to reason) and
`counters`; or by `{"error": "..."}`.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cluster.zones import Zones
from network.resolver import zonefile
from network.resolver.listener import Listeners
from network.resolver.resolver import Resolver
from network.resolver.terms import VERSION

RETRY = 2.0
ZONES = "zones.json"


class Control:
    """Does what the control socket asks, and has the addresses that could not be bound tried again."""

    def __init__(self, directory: Path, resolver: Resolver, listeners: Listeners, log: Callable[[str], None]) -> None:
        self._zones_path = directory / ZONES
        self._resolver = resolver
        self._listeners = listeners
        self._log = log
        self._logged: dict[str, str] = {}
        self.stopping = asyncio.Event()
        self.successor: tuple[str, ...] = ()

    def restore(self) -> None:
        """Put the zones in force that were saved last. A file that is not whole is named in the log and left out."""
        try:
            self._put_in_force(zonefile.load(self._zones_path))
        except (OSError, ValueError) as error:
            self._log(f"the saved zones could not be read, waiting for new ones: {error}")

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until the other side hangs up."""
        try:
            while line := await reader.readline():
                writer.write(json.dumps(self._answer(line)).encode() + b"\n")
                await writer.drain()
        except (OSError, ValueError) as error:
            self._log(f"a control connection broke: {error}")
        finally:
            writer.close()

    async def keep_binding(self) -> None:
        """Try again, for ever, what could not be bound: the program that holds the port may have ended."""
        while True:
            await asyncio.sleep(RETRY)
            if self._listeners.errors():
                self._listeners.listen(self._resolver.zones.gateways())
                self._log_errors()

    def status(self) -> dict[str, Any]:
        """How things are, as the module's docstring says."""
        return {
            "serial": self._resolver.zones.serial,
            "version": VERSION,
            "pid": os.getpid(),
            "listening": sorted(self._listeners.addresses()),
            "bind_errors": self._listeners.errors(),
            "counters": self._resolver.counters(),
        }

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request = json.loads(line)
            operation = request["op"]
            if operation == "zones":
                zones = zonefile.decode(request["zones"])
                self._put_in_force(zones)
                zonefile.save(self._zones_path, zones)
            elif operation == "replace":
                self.successor = tuple(map(str, request["command"]))
                self.stopping.set()
            elif operation == "stop":
                self.stopping.set()
            elif operation != "status":
                return {"error": f"unknown operation {operation!r}"}
        except (ValueError, KeyError, TypeError) as error:
            return {"error": f"not understood: {error}"}
        except OSError as error:
            return {"error": f"the zones are in force, but could not be saved: {error}"}
        return self.status()

    def _put_in_force(self, zones: Zones) -> None:
        """Listen first, answer by the new zones next, stop listening last: no moment goes without an answer."""
        kept = set(self._listeners.addresses())
        self._listeners.listen(kept | set(zones.gateways()))
        self._resolver.zones = zones
        self._listeners.listen(zones.gateways())
        self._log_errors()

    def _log_errors(self) -> None:
        errors = dict(self._listeners.errors())
        for address, reason in errors.items():
            if self._logged.get(address) != reason:
                self._log(f"cannot listen on {address}: {reason}")
        self._logged = errors
