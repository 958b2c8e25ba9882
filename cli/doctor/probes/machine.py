"""Disks, memory, routes, and who keeps the clock."""

from __future__ import annotations

import ctypes
import ipaddress
import os
import socket
from pathlib import Path

from cli.doctor.facts import Memory, Route, Space
from cli.doctor.finding import Unseen

# adjtimex(2): what it returns where the clock is not synchronised, and room enough for its structure.
TIME_ERROR = 5
TIMEX_BYTES = 512


def space(use: str, path: Path) -> Space | Unseen:
    """The file system that `path` lies on, or would lie on once it is made."""
    for place in (path, *path.absolute().parents):
        try:
            found = os.statvfs(place)
        except FileNotFoundError:
            continue
        except OSError as error:
            return Unseen(f"{place}: {error.strerror}")
        # As df has it: what only root may still use is neither used nor free.
        size = (found.f_blocks - found.f_bfree + found.f_bavail) * found.f_frsize
        return Space(use, str(path), size, found.f_bavail * found.f_frsize, found.f_files, found.f_favail)
    return Unseen(f"{path}: no such folder, and none above it")


def memory(path: Path = Path("/proc/meminfo")) -> Memory | Unseen:
    """The machine's memory."""
    try:
        lines = (line.split() for line in path.read_text().splitlines())
        kibibytes = {words[0]: int(words[1]) for words in lines}
        return Memory(kibibytes["MemTotal:"] * 1024, kibibytes["MemAvailable:"] * 1024)
    except (OSError, KeyError) as error:
        return Unseen(f"{path}: {error}")


def routes(path: Path = Path("/proc/net/route")) -> tuple[Route, ...] | Unseen:
    """The ways of IPv4 but the default one."""
    try:
        rows = [line.split() for line in path.read_text().splitlines()[1:]]
    except OSError as error:
        return Unseen(f"{path}: {error.strerror}")
    ways = ((row[0], _address(row[1]), _address(row[7])) for row in rows if int(row[7], 16))
    return tuple(Route(str(ipaddress.ip_network(f"{to}/{mask}")), device) for device, to, mask in ways)


def synchronised() -> bool | Unseen:
    """Whether the kernel was told by a time service that its clock is right, whichever service that is."""
    library = ctypes.CDLL(None, use_errno=True)
    state = library.adjtimex(ctypes.create_string_buffer(TIMEX_BYTES))
    if state < 0:
        return Unseen(f"the kernel does not say ({os.strerror(ctypes.get_errno())})")
    return bool(state != TIME_ERROR)


def _address(text: str) -> str:
    """An address as the kernel prints it: hexadecimal, in the machine's own order of bytes."""
    return socket.inet_ntoa(int(text, 16).to_bytes(4, "little"))
