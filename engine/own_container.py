"""Where gbnt runs in a container itself: which one that is, and by what path the engine knows a file in it.

Pure; what the kernel and the engine say is passed in.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

# Each engine mounts these from a folder that is called by the container's whole id.
_MOUNTED = re.compile(r"/([0-9a-f]{64})/(?:[^ ]*/)?(?:hostname|hosts|resolv\.conf) /etc/")


def own_container(mountinfo: str) -> str:
    """The id of the container whose `/proc/self/mountinfo` this is; empty where it is none's."""
    found = _MOUNTED.search(mountinfo)
    return found.group(1) if found else ""


def outside(path: str, mounts: Mapping[str, str]) -> str:
    """The machine's path of a container's path, whose mounts are these; empty where it is on none of them."""
    above = [target for target in mounts if posixpath.commonpath((target, path)) == target]
    nearest = max(above, key=len, default="")
    return posixpath.normpath(f"{mounts[nearest]}/{posixpath.relpath(path, nearest)}") if nearest else ""
