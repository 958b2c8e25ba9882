"""How busy the machine of an engine is, where this process runs on that machine."""

from __future__ import annotations

import os
from collections.abc import Iterator

from cluster.load import Load

MEMINFO = "/proc/meminfo"


def machine_load(host: str) -> Load:
    """Load and memory of the machine of the engine at `host`, a URL as in `DOCKER_HOST`."""
    if not host.startswith("unix://"):
        return Load(unknown=f"the engine is reached at {host}: gbnt looks at its own machine")
    try:
        memory = dict(_memory())
        total, free = memory["MemTotal"], memory["MemAvailable"]
        return Load(os.getloadavg()[0], total - free, total)
    except (OSError, KeyError, ValueError) as error:
        return Load(unknown=f"the kernel does not tell it ({type(error).__name__} of {MEMINFO})")


def _memory() -> Iterator[tuple[str, int]]:
    with open(MEMINFO, encoding="ascii") as lines:
        for line in lines:
            name, _, amount = line.partition(":")
            yield name, int(amount.split()[0]) * 1024
