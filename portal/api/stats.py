"""`/v1/stats`: how busy tasks and machines are, as their engines and kernels count it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import anyio
from starlette.requests import Request
from starlette.responses import Response

from actors.protocol import LoadSeen, WantLoad
from actors.surveyor import SURVEYOR
from cluster.load import Sample
from cluster.model import State, Task
from portal.api import nodes, tasks
from portal.api.cluster import OF_STACK
from portal.api.endpoint import Query, streamed
from portal.api.lines import Emit, Lines
from portal.api.problems import Problem, missing
from portal.api.requests import READ_TIMEOUT, backend_of, flag, number, state_of
from portal.load_rows import LoadLine, node_load, task_load
from portal.machines import Heard, ask_each

# How far apart the two looks are from which the first line tells how busy something is.
FIRST_SPAN = 1.0
INTERVAL, SHORTEST = 2.0, 0.5

Choose = Callable[[Task], bool]


async def stream(request: Request) -> Response:
    """The tasks of all services, or of `stack`, `service`, `task` or `node`, and all machines, in one line.

    With `follow` there is another one every `interval` seconds.
    """
    choose, follow = _choice(request, await state_of(request)), flag(request, "follow")
    interval = number(request.query_params, "interval", INTERVAL) or 0.0
    if interval < SHORTEST:
        raise Problem("invalid", f'the parameter "interval" must be at least {SHORTEST:g} seconds')
    looks = _Looks(request, choose)

    async def produce(emit: Emit) -> None:
        await looks.look()
        await anyio.sleep(min(FIRST_SPAN, interval))
        await emit(await looks.look())
        while follow:
            await anyio.sleep(interval)
            await emit(await looks.look())

    return Lines(produce)


class _Looks:
    """Looks one after the other: how busy something is shows between two of them."""

    def __init__(self, request: Request, choose: Choose) -> None:
        self._request = request
        self._backend = backend_of(request)
        self._choose = choose
        self._before: dict[str, Sample] = {}

    async def look(self) -> LoadLine:
        """One line; a machine that does not say is `unknown` in it, and so are its tasks."""
        state = await state_of(self._request)
        chosen = [task for task in state.tasks.values() if task.container_id and not task.ended and self._choose(task)]
        heard = await self._ask(state, chosen)
        seen, silent = heard.answers, heard.silent
        samples = {id: sample for one in seen.values() for id, sample in one.samples.items()}
        before, self._before = self._before, samples
        return {
            "at": self._backend.clock(),
            "tasks": [
                task_load(state, task, before.get(id), samples.get(id), silent.get(task.node, ""))
                for task in _sorted(chosen)
                for id in (task.container_id,)
            ],
            "nodes": [
                node_load(node, seen.get(node.id), silent.get(node.id, ""))
                for node in sorted(state.nodes.values(), key=lambda node: node.name)
            ],
        }

    async def _ask(self, state: State, chosen: Iterable[Task]) -> Heard[LoadSeen]:
        containers: dict[str, list[str]] = {id: [] for id in state.nodes}
        for task in chosen:
            containers.get(task.node, []).append(task.container_id)
        questions = {id: WantLoad(tuple(found)) for id, found in containers.items()}
        return await ask_each(self._backend, state, SURVEYOR, questions, LoadSeen, READ_TIMEOUT)


def _choice(request: Request, state: State) -> Choose:
    """Which tasks are meant. Raises Problem where a parameter names what is not there."""
    stack, service, task, node = (request.query_params.get(name, "") for name in ("stack", "service", "task", "node"))
    if stack and stack not in state.stacks:
        raise missing("stack", stack, state.stacks, "gbnt stack ls")
    if service and service not in state.services:
        raise missing("service", service, state.services, "gbnt service ls")
    task = tasks.find(state, task).id if task else ""
    node = nodes.find(state, node).id if node else ""

    def choose(one: Task) -> bool:
        named = (stack, one.stack), (service, one.service_key), (task, one.id), (node, one.node)
        return all(wanted in ("", own) for wanted, own in named)

    return choose


def _sorted(chosen: Iterable[Task]) -> list[Task]:
    return sorted(chosen, key=lambda task: (task.stack, task.service, task.slot, task.id))


ENDPOINTS = (
    streamed(
        "/v1/stats",
        stream,
        LoadLine,
        OF_STACK,
        Query("service", "of this service, as `stack/service`"),
        Query("task", "this task, by id, the beginning of one, or name"),
        Query("node", "on this machine, by name, id or the beginning of one"),
        Query("follow", "go on, a line after the other", "flag"),
        Query("interval", f"seconds between two lines; at least {SHORTEST:g}, and {INTERVAL:g} unless said", "number"),
    ),
)
