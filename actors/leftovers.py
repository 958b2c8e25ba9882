"""Which containers of a machine's tasks have been kept for long enough."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from cluster.assignment import Assignment
from cluster.containers import SERVICE, SLOT, STACK, TASK
from engine.port import ContainerInfo

KEPT_SECONDS = 7 * 24 * 3600.0


def outlived(
    containers: Iterable[ContainerInfo], assigned: Mapping[str, Assignment], now: float
) -> list[ContainerInfo]:
    """Of each slot's ended containers that are not wanted any more, all but the newest, kept for its log for a week.

    `assigned` are the machine's tasks by id, `now` the time of day. Containers of no task are not among them.
    """
    slots: defaultdict[tuple[str, ...], list[ContainerInfo]] = defaultdict(list)
    for info in containers:
        assignment = assigned.get(info.labels.get(TASK, ""))
        wanted = assignment is None or assignment.task.desired not in ("stop", "remove")
        if not wanted and info.state in ("exited", "dead"):
            slots[tuple(info.labels.get(label, "") for label in (STACK, SERVICE, SLOT))].append(info)
    old: list[ContainerInfo] = []
    for infos in slots.values():
        infos.sort(key=lambda info: info.finished_at)
        old += infos[:-1]
        old += [info for info in infos[-1:] if now - info.finished_at > KEPT_SECONDS]
    return old
