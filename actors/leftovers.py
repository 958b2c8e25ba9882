"""Containers that outlived what they were made for: which have been kept for long enough, and whose place they take."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from cluster.assignment import Assignment
from cluster.containers import SERVICE, SLOT, STACK, TASK, is_of
from cluster.model import Task
from engine.port import ContainerInfo, EngineEvent

KEPT_SECONDS = 7 * 24 * 3600.0
UNSEEN = "a look at what else runs here"

Slot = tuple[str, str, str]


class Squatters:
    """The containers that a restore made unknown and that run in a slot, until a person has confirmed and they end.

    A task of that slot is not started beside one: two would write to one volume, or want one port.
    """

    def __init__(self) -> None:
        self._names: dict[Slot, dict[str, str]] = {}
        self._unseen = False

    def expect(self, news: bool) -> None:
        """Unknown containers are held, where that is `news`, and nobody has looked for them yet."""
        self._unseen = self._unseen or news

    def see(self, unknown: Iterable[ContainerInfo], hold: bool) -> None:
        """Take in which containers no task knows. `hold`: they are to stay until a person has confirmed."""
        names: defaultdict[Slot, dict[str, str]] = defaultdict(dict)
        for info in unknown:
            slot = _slot(info.labels)
            if info.state == "running" and (hold or info.id in self._names.get(slot, ())):
                names[slot][info.id] = info.name
        self._names, self._unseen = dict(names), False

    def ended(self, event: EngineEvent) -> bool:
        """Whether the event says that one of them ended."""
        if event.action not in ("die", "destroy"):
            return False
        return self._names.get(_slot(event.labels), {}).pop(event.container, None) is not None

    def held(self, task: Task) -> str:
        """What a start of the task has to wait for, in words; empty where its slot is free."""
        return UNSEEN if self._unseen else self._in_place_of(task)

    def hopeless(self, task: Task) -> str:
        """Why that will not come without a person; empty where it may."""
        found = self._in_place_of(task)
        return f"waits for {found}" if found else ""

    def _in_place_of(self, task: Task) -> str:
        names = self._names.get((task.stack, task.service, str(task.slot)))
        if not names:
            return ""
        return f"`gbnt snapshot confirm`: {', '.join(sorted(names.values()))} of a later revision runs"


def unknown(containers: Iterable[ContainerInfo], assigned: Mapping[str, Assignment], node: str) -> list[ContainerInfo]:
    """The machine's own containers that are of none of its tasks."""
    own = (info for info in containers if is_of(info.labels, node))
    return [info for info in own if info.labels.get(TASK, "") not in assigned]


def outlived(
    containers: Iterable[ContainerInfo], assigned: Mapping[str, Assignment], now: float
) -> list[ContainerInfo]:
    """Of each slot's ended containers that are not wanted any more, all but the newest, kept for its log for a week.

    `assigned` are the machine's tasks by id, `now` the time of day. Containers of no task are not among them.
    """
    slots: defaultdict[Slot, list[ContainerInfo]] = defaultdict(list)
    for info in containers:
        assignment = assigned.get(info.labels.get(TASK, ""))
        wanted = assignment is None or assignment.task.desired not in ("stop", "remove")
        if not wanted and info.state in ("exited", "dead"):
            slots[_slot(info.labels)].append(info)
    old: list[ContainerInfo] = []
    for infos in slots.values():
        infos.sort(key=lambda info: info.finished_at)
        old += infos[:-1]
        old += [info for info in infos[-1:] if now - info.finished_at > KEPT_SECONDS]
    return old


def _slot(labels: Mapping[str, str]) -> Slot:
    return labels.get(STACK, ""), labels.get(SERVICE, ""), labels.get(SLOT, "")
