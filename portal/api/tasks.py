"""`/v1/tasks`: what runs where, and why something does not."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from actors.protocol import StopTask
from cluster.decide.decision import Refusal
from cluster.decide.tasks import find_task
from cluster.explaining import explain_task
from cluster.model import State, Task
from portal.api import nodes
from portal.api.cluster import OF_STACK
from portal.api.endpoint import Query, listed, read, streamed, write
from portal.api.log_reader import LOGS, LogQuery, Selection
from portal.api.logs import stream_logs
from portal.api.problems import Problem
from portal.api.requests import answer, backend_of, change, flag, key_of, listing, state_of
from portal.part_rows import PlacementShown, placement_row
from portal.rows import present, task_row
from portal.shapes import Changed, LogRow, TaskRow


async def index(request: Request) -> Response:
    """The tasks of all services, or of `stack`, `service` and `node`; with `all` every one that is remembered."""
    state = await state_of(request)
    stack, service, node = (request.query_params.get(name, "") for name in ("stack", "service", "node"))
    stack, service = service.split("/", 1) if "/" in service else (stack, service)
    chosen = [t for t in state.tasks.values() if stack in ("", t.stack) and service in ("", t.service)]
    if not flag(request, "all"):
        newest = {task.id for task in present(chosen)}
        chosen = [task for task in chosen if task.id in newest or (node and not task.ended)]
    if node:
        id = nodes.find(state, node).id
        chosen = [task for task in chosen if task.node == id]
    return listing(request, [task_row(state, task) for task in chosen], state.revision, ORDER)


async def show(request: Request) -> Response:
    """One task."""
    state = await state_of(request)
    return answer(task_row(state, find(state, request.path_params["task"])))


async def placement(request: Request) -> Response:
    """Why a task is where it is, or nowhere, by machine."""
    state = await state_of(request)
    return answer(placement_row(explain_task(state, find(state, request.path_params["task"]))))


async def remove(request: Request) -> Response:
    """Stop a task for good; its service replaces it. The Senate looks it up: for a repeat it may be gone by now."""
    return await change(request, StopTask(request.path_params["task"], key_of(request)))


async def logs(request: Request) -> Response:
    """The output of one task."""
    state = await state_of(request)
    id = find(state, request.path_params["task"]).id

    def this(state: State) -> Selection:
        task = state.tasks.get(id)
        return Selection([task], lasting=not task.ended) if task else Selection([], lasting=False)

    return stream_logs(backend_of(request), state, this, LogQuery.of(request))


def find(state: State, reference: str) -> Task:
    """The task with that id, or a unique beginning of one, or the newest of that name. Raises Problem."""
    found = find_task(state, reference)
    if isinstance(found, Refusal):
        raise Problem(found.code, found.message)
    return found


ORDER = ("stack", "service", "slot", "created_at", "id")
ONE = "/v1/tasks/{task}"
ENDPOINTS = (
    listed(
        "/v1/tasks",
        index,
        TaskRow,
        OF_STACK,
        Query("service", "of this service; `stack/service` where several stacks have one of that name"),
        Query("node", "on this machine, by name, id or the beginning of one"),
        Query("all", "those that ended, too", "flag"),
    ),
    read(ONE, show, TaskRow),
    write("DELETE", ONE, remove, Changed),
    read(f"{ONE}/placement", placement, PlacementShown),
    streamed(f"{ONE}/logs", logs, LogRow, *LOGS),
)
