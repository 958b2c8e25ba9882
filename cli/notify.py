"""What systemd is told of this process, by sd_notify(3); nothing where nobody asked for it."""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping

import anyio

from cli.log import said

PATIENCE = 1.0


class Notifier:
    """Takes the variables that systemd set for this process, and for none that it starts, out of `environment`."""

    def __init__(self, environment: MutableMapping[str, str]) -> None:
        address = environment.pop("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        period = int(environment.pop("WATCHDOG_USEC", "") or 0) / 1e6
        watched = environment.pop("WATCHDOG_PID", str(os.getpid()))
        self._period = period if watched == str(os.getpid()) else 0.0

    def ready(self, status: str) -> None:
        """It serves. `status` is for whoever reads `systemctl status`."""
        self._tell(f"READY=1\nSTATUS={status}")

    def stopping(self, status: str) -> None:
        """It was told to end."""
        self._tell(f"STOPPING=1\nSTATUS={status}")

    async def stay_alive(self) -> None:
        """Say again and again that the event loop turns, where a watchdog wants to hear it."""
        while self._period:
            self._tell("WATCHDOG=1")
            await anyio.sleep(self._period / 3)

    def _tell(self, message: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
                channel.settimeout(PATIENCE)
                channel.sendto(message.encode(), self._address)
        except OSError as error:
            said.warning("systemd cannot be told %s: %s", message.splitlines()[0], error)
