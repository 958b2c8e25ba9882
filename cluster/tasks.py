"""The table of a cluster's tasks: by their ids, and by their services, whose tasks every decision asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cluster.model import Task

_slot_and_age = attrgetter("slot", "created_at", "id")


class Tasks(dict[str, "Task"]):
    """Tasks by id. To be written item by item, and with `pop`: no other way keeps the order by services.

    That is made when it is first asked for, and goes on with each copy: a service whose tasks are the same in both has
    the same tuple. What is written lies `open` until it is asked for, so that a thousand tasks are put in order once.
    """

    __slots__ = ("_by_service", "_open")

    def __init__(self, tasks: Mapping[str, Task] | Iterable[tuple[str, Task]] = ()) -> None:
        super().__init__(tasks)
        self._by_service: dict[str, tuple[Task, ...]] | None = None
        self._open: dict[str, dict[str, Task]] = {}

    @property
    def by_service(self) -> Mapping[str, tuple[Task, ...]]:
        """The tasks of each service (`stack/name`) that has any, by slot and age."""
        if self._by_service is None:
            for task in self.values():
                self._open.setdefault(task.service_key, {})[task.id] = task
            self._by_service = {}
        while self._open:
            key, tasks = self._open.popitem()
            if tasks:
                self._by_service[key] = tuple(sorted(tasks.values(), key=_slot_and_age))
            else:
                self._by_service.pop(key, None)
        return self._by_service

    def __copy__(self) -> Tasks:
        other = Tasks(self)
        if self._by_service is not None:
            other._by_service = dict(self.by_service)
        return other

    def __setitem__(self, id: str, task: Task) -> None:
        super().__setitem__(id, task)
        if self._by_service is not None:
            self._opened(task.service_key, self._by_service)[id] = task

    def pop(self, id: str, default: object = None) -> Task | None:  # type: ignore[override]
        """Take a task out, and return it; None where there is no such one."""
        task = super().pop(id, None)
        if task is not None and self._by_service is not None:
            del self._opened(task.service_key, self._by_service)[id]
        return task

    def _opened(self, key: str, by_service: Mapping[str, tuple[Task, ...]]) -> dict[str, Task]:
        if key not in self._open:
            self._open[key] = {task.id: task for task in by_service.get(key, ())}
        return self._open[key]


def by_service(tasks: Mapping[str, Task]) -> Mapping[str, tuple[Task, ...]]:
    """The tasks of each service that has any, by slot and age, of a state's table."""
    assert isinstance(tasks, Tasks)
    return tasks.by_service
