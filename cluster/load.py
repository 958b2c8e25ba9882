"""What a container and a machine are busy with, as their engine and kernel count it. Sizes are in bytes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """The counters of a running container `at` a time of its engine's clock; None is what that does not count.

    `cpu_seconds`, what was `received` and `sent` over networks and `read` and `written` on disks are all since its
    start. `memory` is without what the kernel could drop at once.
    """

    at: float
    cpu_seconds: float
    memory: int | None
    memory_limit: int | None
    received: int | None
    sent: int | None
    read: int | None
    written: int | None
    pids: int | None


@dataclass(frozen=True, slots=True)
class Load:
    """A machine's load average of the last minute and its memory; `unknown` is why nothing is known of them."""

    load: float = 0.0
    memory: int = 0
    memory_total: int = 0
    unknown: str = ""


def cpu_percent(before: Sample | None, after: Sample) -> float | None:
    """How busy it was between two looks, where 100 is one whole CPU; None where they are not of one life."""
    if before is None or after.at <= before.at or after.cpu_seconds < before.cpu_seconds:
        return None
    return 100.0 * (after.cpu_seconds - before.cpu_seconds) / (after.at - before.at)
