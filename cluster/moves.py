"""Emptying a machine: its tasks move one by one, and where two can run side by side the new one starts first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from cluster.model import Desired, Node, Service, Task
from cluster.spec import ServiceSpec

WANTED: frozenset[Desired] = frozenset({"run", "ready"})


def emptied(nodes: Iterable[Node]) -> frozenset[str]:
    """The machines that people want no task on."""
    return frozenset(node.id for node in nodes if node.availability in ("drain", "maintenance"))


def overlaps(spec: ServiceSpec) -> bool:
    """Whether two tasks of a slot can run side by side: they share no volume, and no address of the file's choice."""
    volumes = any(mount.type == "volume" and mount.source for mount in spec.mounts)
    return not volumes and not any(attachment.ipv4_address for attachment in spec.networks)


def leavers(slots: Mapping[int, Iterable[Task]], machines: Collection[str]) -> list[tuple[Task, Task | None]]:
    """The wanted tasks on machines that they are to leave, each with the one that is to take its place, if any."""
    pairs: list[tuple[Task, Task | None]] = []
    for tasks in slots.values():
        wanted = [task for task in tasks if task.desired in WANTED]
        staying = [task for task in wanted if task.node not in machines]
        leaving = [task for task in wanted if task.node in machines and not task.ended]
        pairs += [(task, next((one for one in staying if same_order(one, task)), None)) for task in leaving]
    return pairs


def same_order(one: Task, other: Task) -> bool:
    """Whether both were made for the same revision, and since the same forced restart."""
    return (one.revision, one.generation) == (other.revision, other.generation)


def settling(service: Service, slots: Mapping[int, Iterable[Task]], machines: Collection[str]) -> bool:
    """Whether a task that moved does not serve yet: the next one waits for it."""
    for slot, tasks in slots.items():
        known = list(tasks)
        moved = any(task.node in machines for task in known) and slot <= service.replicas
        heirs = [task for task in known if task.desired in WANTED and task.node not in machines]
        if moved and any(not task.serving and task.state != "complete" for task in heirs):
            return True
    return False


def may_leave(service: Service, heir: Task) -> bool:
    """Whether the old one may stop: the new one serves or, where the old one has to stop first, could start at once."""
    if overlaps(service.spec):
        return heir.serving or heir.state == "complete"
    return heir.ready or heir.ended
