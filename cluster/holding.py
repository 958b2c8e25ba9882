"""What keeps a volume or a network: the stacks that name it, and the tasks that use it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from cluster.model import Stack, State, Task
from cluster.volumes import named_volumes

By = defaultdict[str, list[Task]]
"""By the engine's name of a volume or a network the tasks that use it, those that have ended left out."""


def tasks_by_volume(state: State) -> By:
    """Who keeps data in which volume.

    A task may be of an older file, whose volume of the same key had another name: all names of that key are held then.
    """
    names = _names(state)
    found = defaultdict[str, list[Task]](list)
    for task in _live(state):
        for key in named_volumes(state.spec_of(task)):
            for name in sorted(names[task.stack, key]):
                found[name].append(task)
    return found


def tasks_by_network(state: State) -> By:
    """Who is on which network."""
    found = defaultdict[str, list[Task]](list)
    for task in _live(state):
        for name in task.addresses:
            found[name].append(task)
    return found


def naming(state: State, volume: str) -> list[Stack]:
    """The stacks whose file names the volume, external ones too."""
    named = (one for one in state.stacks.values() if volume in {spec.name for spec in one.spec.volumes.values()})
    return sorted(named, key=lambda stack: stack.name)


def recalled(state: State) -> set[str]:
    """The volumes that a stack names again when it goes back to a kept revision, or on to its draft."""
    revisions, drafts = state.stack_revisions.values(), state.stack_drafts.values()
    specs = [*(one.spec for one in revisions), *(one.spec for one in drafts)]
    return {volume.name for spec in specs for volume in spec.volumes.values()}


def volumes_there(state: State) -> set[str]:
    """The volumes that any machine has."""
    return {volume for node in state.nodes.values() for volume in node.volumes}


def holders(state: State, volume: str) -> list[str]:
    """The ids of the machines that have the volume, in the order of their names."""
    there = (node for node in state.nodes.values() if volume in node.volumes)
    return [node.id for node in sorted(there, key=lambda node: node.name)]


def held(state: State, volume: str) -> str:
    """Why a volume and its data are to stay, and what to do about it; empty where nobody holds on to it."""
    stacks = naming(state, volume)
    for stack in stacks:
        if stack.removing:
            return f"volume {volume} is of stack {stack.name}, which is being removed; ask again when that is gone"
    if stacks:
        names = ", ".join(stack.name for stack in stacks)
        way = f"take it out of the file and deploy that, or `gbnt stack rm {stacks[0].name} --volumes`"
        return f"volume {volume} is named by stack {names}: {way}"
    if users := tasks_by_volume(state)[volume]:
        names = ", ".join(sorted(task.name for task in users))
        return f"volume {volume} is used by {names}; it can be removed once that has ended"
    return ""


def _live(state: State) -> Iterator[Task]:
    return (task for task in state.tasks.values() if not task.ended)


def _names(state: State) -> defaultdict[tuple[str, str], set[str]]:
    """By stack and key all names that the stack's file gives a volume, and gave it in the revisions that are kept."""
    names = defaultdict[tuple[str, str], set[str]](set)
    specs = [*(one.spec for one in state.stack_revisions.values()), *(one.spec for one in state.stacks.values())]
    for spec in specs:
        for key, volume in spec.volumes.items():
            names[spec.name, key].add(volume.name)
    return names
