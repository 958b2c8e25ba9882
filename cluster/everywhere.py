"""Services of the mode `global`: a task on each machine that it may be on, and each machine with a slot of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from cluster.ask import ask_of
from cluster.model import Node, Service, Task
from cluster.moves import WANTED


def homes(service: Service, tasks: Collection[Task], nodes: Iterable[Node]) -> Mapping[int, str]:
    """By slot the id of the machine that its task belongs to, in order of slots; empty for a service of another mode.

    A machine keeps its slot while there is a task of it, and its task while it is down or paused. A machine that does
    not meet the constraints any more, or is to be emptied, is none of them.
    """
    if service.spec.mode != "global":
        return {}
    terms = ask_of(service.stack, service.spec).terms
    known = {task.node: task.slot for task in sorted(tasks, key=lambda task: task.created_at) if task.node}
    found = [
        node.id
        for node in sorted(nodes, key=lambda node: node.id)
        if terms.allow(node) and _takes_part(node, node.id in known)
    ]
    slots = {known[id]: id for id in found if id in known}
    # A task that waits for its machine has a slot, and no machine yet.
    waiting = sorted({task.slot for task in tasks if not task.node and task.desired in WANTED} - slots.keys())
    used = {task.slot for task in tasks}
    fresh = (number for number in range(1, len(used) + len(found) + 1) if number not in used)
    for id in found:
        if id not in slots.values():
            slots[waiting.pop(0) if waiting else next(fresh)] = id
    return dict(sorted(slots.items()))


def _takes_part(node: Node, known: bool) -> bool:
    if known:
        return node.availability in ("active", "pause")
    return node.availability == "active" and node.status == "ready"
