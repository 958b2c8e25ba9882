"""Paths of a machine by which whoever is given them has the machine: its settings, its disks, its engine, its homes.

They are judged by their names. Where a symbolic link leads that somebody made on a machine is not seen here.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

GIVING = (
    "/dev", "/etc", "/proc", "/sys",
    "/run/containerd", "/run/dbus", "/run/docker", "/run/docker.sock", "/run/podman", "/run/systemd", "/run/user",
    "/var/lib/containerd", "/var/lib/docker", "/var/lib/gbnt", "/var/lib/gubernator",
)  # fmt: skip
"""Even to who only reads: for secrets, for sockets, and as what is mounted below a path may be written all the same."""
GIVING_TO_WRITERS = ("/bin", "/boot", "/lib", "/lib32", "/lib64", "/sbin", "/usr", "/var/spool/cron")
READABLE = (
    "/etc/ca-certificates", "/etc/group", "/etc/hostname", "/etc/hosts", "/etc/letsencrypt", "/etc/localtime",
    "/etc/machine-id", "/etc/os-release", "/etc/passwd", "/etc/pki/ca-trust", "/etc/pki/tls/certs", "/etc/resolv.conf",
    "/etc/ssl/certs", "/etc/timezone",
)  # fmt: skip
"""Of what gives a machine away, what does not to who only reads it."""
HOMES = re.compile(r"/home|/(?:root|home/[^/]+)(?:/\..*)?")
"""A person's home, and what is hidden there: keys, credentials, what a shell runs."""


def gives_machine(path: str, *, read_only: bool = False) -> bool:
    """Whether a container that has this path of its machine, or what is below it, has the machine."""
    at = _plain(path)
    if read_only and _is_in(at, READABLE):
        return False
    giving = GIVING if read_only else GIVING + GIVING_TO_WRITERS
    return _is_in(at, giving) or any(_is_in(one, (at,)) for one in giving) or HOMES.fullmatch(at) is not None


def _plain(path: str) -> str:
    """One way to write a path. `/var/run` has been a link to `/run` on every machine for long."""
    at = "/" + posixpath.normpath(posixpath.join("/", path)).lstrip("/")
    return at.removeprefix("/var") if _is_in(at, ("/var/run",)) else at


def _is_in(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder.rstrip('/')}/") for folder in folders)
