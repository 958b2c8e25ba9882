"""What the tasks of one machine wait for: how far that is, as seen here and as a manager told of all other machines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from actors import protocol
from cluster.assignment import Assignment, Milestone, Observation
from cluster.gates import milestone


class Dependencies:
    """Of what is here the machine's own word counts, though a manager has not heard it: a gate opens at once.

    `seen` is what was seen last of each task here; the agent writes it.
    """

    def __init__(self, seen: Mapping[str, Observation]) -> None:
        self._seen = seen
        self._down = set[str]()
        self._elsewhere: Mapping[str, tuple[Milestone, ...]] = {}
        self._here: defaultdict[str, list[str]] = defaultdict(list)
        self._gated_by: defaultdict[str, list[str]] = defaultdict(list)

    def take(self, orders: protocol.Assign, assigned: Iterable[Assignment]) -> None:
        """Take in orders, and all tasks that are assigned by now."""
        self._elsewhere = {one.service: one.reached for one in orders.elsewhere}
        self._here.clear()
        self._gated_by.clear()
        for one in assigned:
            if one.task.desired == "run":
                self._here[one.task.service_key].append(one.task.id)
            for gate in one.gates:
                self._gated_by[gate.service].append(one.task.id)

    def went_down(self, tasks: Collection[str]) -> None:
        """These tasks, and no others, ended while nobody watched: what was seen of them is not so any more."""
        self._down = set(tasks)

    def noticed(self, task: Assignment) -> Sequence[str]:
        """Return the tasks that may be waiting for one that was seen just now."""
        self._down.discard(task.task.id)
        return self._gated_by[task.task.service_key]

    def reached(self, assignment: Assignment) -> dict[str, list[Milestone]]:
        """Return how far the services have come that a task waits for."""
        named = {gate.service for gate in assignment.gates}
        return {name: [*self._elsewhere.get(name, ()), *map(self._milestone, self._here[name])] for name in named}

    def _milestone(self, task: str) -> Milestone:
        seen = self._seen.get(task)
        return milestone(seen.state, seen.health) if seen is not None and task not in self._down else ""
