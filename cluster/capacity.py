"""What a machine has beside CPUs and memory: room on its engine's disk, and GPUs as its engine reports them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MIB = 1024 * 1024
WORTH_TELLING, LEAST_TOLD = 10, 128 * MIB
CROWDED = 85
"""In percent of a disk: pulls and logs soon fill what is left from there on."""


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system that holds the engine's data, at `path`. Sizes are in bytes, as `df` has them.

    `unknown` is why nothing is known of it, in words for a person; the sizes mean nothing then.
    """

    path: str = ""
    total: int = 0
    free: int = 0
    unknown: str = "its engine has not been asked yet"


@dataclass(frozen=True, slots=True)
class Gpus:
    """GPUs of one kind, from one `source` of the engine.

    `declared`: people set them in the engine's `node-generic-resources`, as for Swarm, and `kind` is their word.
    `discovered`: the engine found them by CDI, `kind` is as `nvidia.com/gpu`, and a container asks for KIND=NAME.
    `names` are empty where they are only counted. One card may be in both sources: they are not to be added up.
    """

    kind: str
    source: Literal["declared", "discovered"]
    count: int
    names: tuple[str, ...] = ()


def told(known: Disk, seen: Disk) -> Disk:
    """What a machine says of its disk, which it said `known` of before and looks like `seen` now.

    What is free changes all the time, and each word of it is a write of the Senate. So it is told again once it has
    changed by a tenth of what was said, or by 128 MiB where that is more. Both ends need it so: steps of the disk's own
    size would say 40 GB of a large disk when nothing is left, and fixed steps would tell of each pull on an empty one.
    It is a distance, no rounding, so that nothing that sways about a mark is told for ever.
    """
    if (known.path, known.total, known.unknown) != (seen.path, seen.total, seen.unknown):
        return seen
    return seen if abs(seen.free - known.free) >= max(known.free // WORTH_TELLING, LEAST_TOLD) else known


def crowded(disk: Disk) -> str:
    """What a person should know of a disk that is nearly full, in words; empty of one that has room, or is unknown."""
    if disk.unknown or not disk.total:
        return ""
    used = 100 * (disk.total - disk.free) // disk.total
    return f"its disk is {used} % full: `gbnt system df` says of what" if used >= CROWDED else ""
