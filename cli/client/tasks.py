"""The tasks of services."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote

from cli.client.part import Part
from cli.errors import BadInput

if TYPE_CHECKING:
    from cli.session import Params
    from portal.part_rows import PlacementShown
    from portal.shapes import Changed, LogRow, TaskRow


class Tasks(Part):
    """The tasks."""

    def tasks(self, stack: str = "", service: str = "", node: str = "", *, ended: bool = False) -> list[TaskRow]:
        """The tasks; with those that ended where `ended` asks for them."""
        params = {"stack": stack, "service": service, "node": node, "all": 1 if ended else None}
        return self._session.items("/v1/tasks", params)

    def task(self, reference: str) -> TaskRow:
        """One task by its id, a unique beginning of it, or its name (stack-service-slot)."""
        return self._session.get(task_path(reference))

    def task_placement(self, reference: str) -> PlacementShown:
        """Why a task is where it is: a `sentence`, and each of the `nodes` with the reasons against it."""
        return self._session.get(f"{task_path(reference)}/placement")

    def remove_task(self, reference: str) -> Changed:
        """Stop a task's container for good; its service replaces it."""
        return self._session.write("DELETE", task_path(reference))

    def task_logs(self, reference: str, params: Params) -> Iterator[LogRow]:
        """The lines of one task."""
        return self._session.lines("GET", f"{task_path(reference)}/logs", params)


def task_path(reference: str) -> str:
    """Where a task is, by its id, the beginning of one, or its name. Raises BadInput for what names a service."""
    if "/" in reference:
        first = f"{reference.replace('/', '-')}-1"
        raise BadInput(f"{reference} is a service: say which of its tasks, as {first}; `gbnt task ls` shows them")
    return f"/v1/tasks/{quote(reference, safe='')}"
