"""Emptying a machine: its tasks move one by one, and where two can run side by side the new one starts first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from cluster.model import Desired, Node, Service, Task
from cluster.spec import ServiceSpec
from cluster.volumes import named_volumes

WANTED: frozenset[Desired] = frozenset({"run", "ready"})


def emptied(nodes: Iterable[Node]) -> frozenset[str]:
    """The machines that people want no task on."""
    return frozenset(node.id for node in nodes if node.availability in ("drain", "maintenance"))


def overlaps(spec: ServiceSpec) -> bool:
    """Whether two tasks of a slot can run side by side: they share no volume, and no address of the file's choice."""
    return not named_volumes(spec) and not any(attachment.ipv4_address for attachment in spec.networks)


def same_order(one: Task | Service, other: Task) -> bool:
    """Whether both are of the same revision, and since the same forced restart."""
    return (one.revision, one.generation) == (other.revision, other.generation)


@dataclass(frozen=True, slots=True)
class Move:
    """A slot's task on a machine that it is to leave, and the one that is to take its place, if there is one yet.

    `doubles` are others of the slot that are to leave, too. `alone`: nothing else of the slot is left anywhere.
    """

    task: Task
    heir: Task | None
    doubles: tuple[Task, ...]
    alone: bool


def moves(service: Service, slots: Mapping[int, Iterable[Task]], machines: Collection[str]) -> Iterator[Move]:
    """The service's tasks on machines that they are to leave; those of an older revision an update replaces."""
    for tasks in map(list, slots.values()):
        wanted = [task for task in tasks if task.desired in WANTED and same_order(service, task)]
        leaving = [task for task in wanted if task.node in machines and not task.ended]
        if leaving:
            task = next((one for one in leaving if one.serving), leaving[0])
            heir = next((one for one in wanted if one.node not in machines), None)
            known = {one.id for one in (*leaving, *([heir] if heir else []))}
            alone = all(one.ended or one.id in known for one in tasks)
            yield Move(task, heir, tuple(one for one in leaving if one is not task), alone)


def settling(service: Service, slots: Mapping[int, Iterable[Task]], machines: Collection[str]) -> bool:
    """Whether a task that moved does not serve yet: the next one waits for it."""
    for slot, tasks in slots.items():
        known = list(tasks)
        moved = any(task.node in machines for task in known) and slot <= service.replicas
        heirs = [task for task in known if task.desired in WANTED and task.node not in machines]
        if moved and any(not task.serving and task.state != "complete" for task in heirs):
            return True
    return False


def may_leave(service: Service, task: Task, heir: Task) -> bool:
    """Whether a task may stop for its heir: that serves or, where the old one has to stop first, could start at once.

    One that was not to run yet has nothing to lose.
    """
    if task.desired == "ready":
        return True
    if overlaps(service.spec):
        return heir.serving or heir.state == "complete"
    return heir.ready or heir.ended
