"""What is left on a machine that is being emptied, and what each of it waits for, in words."""

from __future__ import annotations

from dataclasses import dataclass

from cluster.model import Node, State, Task
from cluster.moves import WANTED, emptied, same_order
from cluster.progress import failure


@dataclass(frozen=True, slots=True)
class Leaver:
    """A task that has not left its machine yet. `stuck`: it waits for something that a person may have to mend."""

    task: Task
    words: str
    stuck: bool = False


def leavers(state: State, node: Node) -> list[Leaver]:
    """The tasks that are still to leave a machine, by name; none where nobody wants it emptied."""
    leaving = emptied(state.nodes.values())
    if node.id not in leaving:
        return []
    there = (task for task in state.tasks.values() if task.node == node.id and not task.ended)
    return [_leaver(state, task, leaving) for task in sorted(there, key=lambda task: (task.name, task.id))]


def _leaver(state: State, task: Task, leaving: frozenset[str]) -> Leaver:
    if task.unknown:
        return Leaver(task, task.unknown, stuck=not task.forsaken)
    if task.desired not in WANTED:
        return Leaver(task, f"stops: {task.why}" if task.why else "stops")
    moved = [one for one in state.tasks_of(task.service_key) if one.desired in WANTED and one.node not in leaving]
    heirs = [one for one in moved if one.slot == task.slot]
    if not heirs:
        words = "waits for its turn: of a service one task moves at a time"
        return Leaver(task, words, stuck=any(map(failure, moved)))
    heir = max(heirs, key=lambda other: same_order(other, task))
    if not heir.node:
        return Leaver(task, heir.message, stuck=bool(heir.problem))
    where = state.nodes[heir.node].name if heir.node in state.nodes else heir.node
    if heir.serving:
        return Leaver(task, f"stops next: the one on {where} serves")
    why = heir.problem or heir.message
    words = f"its successor on {where} is {heir.standing}{f': {why}' if why else ''}"
    return Leaver(task, words, stuck=bool(failure(heir)))
