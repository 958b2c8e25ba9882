"""Room on disks and in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cli.doctor.facts import Memory, Space
from cli.doctor.finding import Finding, Unseen, ok, problem, unseen, warning
from cli.words import size

WARN_SHARE, PROBLEM_SHARE = 0.85, 0.95
MIB = 1024 * 1024
# gbnt with its resolver takes about 150 MiB; what is left is for the first container.
WARN_MEMORY, PROBLEM_MEMORY = 512 * MIB, 160 * MIB


def disks(spaces: Sequence[Space | Unseen]) -> Iterator[Finding]:
    """How full each file system is: by bytes, and by files."""
    for space in spaces:
        if isinstance(space, Unseen):
            yield unseen("disk", space)
        else:
            yield _disk(space)


def memory(found: Memory | Unseen) -> Iterator[Finding]:
    """Whether gbnt and a container have room."""
    if isinstance(found, Unseen):
        yield unseen("memory", found)
        return
    text = f"{size(found.available)} of {size(found.total)} available"
    fix = "stop what is not needed here, or take a larger machine"
    if found.available < PROBLEM_MEMORY:
        yield problem("memory", text, fix)
    elif found.available < WARN_MEMORY:
        yield warning("memory", text, fix)
    else:
        yield ok("memory", text)


def _disk(space: Space) -> Finding:
    used = 1 - space.free / space.size if space.size else 0.0
    files = 1 - space.free_inodes / space.inodes if space.inodes else 0.0
    check, fullest = f"disk of {space.use}", max(used, files)
    of_what = "of its files" if files > used else f"of {size(space.size)}"
    text = f"{space.path} is {100 * fullest:.0f} % full, {of_what}"
    fix = "make room: `docker image prune`, `docker system df` shows more; or move it to a larger disk"
    if fullest >= PROBLEM_SHARE:
        return problem(check, text, fix)
    if fullest >= WARN_SHARE:
        return warning(check, text, fix)
    return ok(check, text)
