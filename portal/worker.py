"""The doors of a worker, which keeps no state: how it is, what lives in it, and where else to ask."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from portal.api import actors
from portal.api.doorkeeper import Root
from portal.api.problems import Problem, answer_problem
from portal.api.reception import Reception
from portal.backend import Check, Identity
from portal.health import LIVE, readiness
from portal.meters import Meters
from portal.metrics import Sight
from supervisor.inspection import ActorInfo


@dataclass(frozen=True, slots=True)
class WorkerBackend:
    """A worker as its doors see it. `manager` is where its manager's API answers; `checks` as in `Backend`."""

    identity: Identity
    manager: Callable[[], str]
    inspect: Callable[[str], Sequence[ActorInfo]]
    dead_letters: Callable[[], Mapping[str, int]]
    meters: Meters
    checks: Mapping[str, Callable[[], Awaitable[Check]]]


def create_worker_api(backend: WorkerBackend) -> Starlette:
    """The API for whoever may open this machine's admin socket: its actors. All else is a manager's to answer."""

    async def elsewhere(request: Request, error: Exception) -> Response:
        text = (
            f"{backend.identity.cluster} is a worker, and keeps no state of the cluster: ask its manager at "
            f"{backend.manager()}, from a machine that has a context for it (`~/.gbntctl/config` of the manager)"
        )
        return Problem("unavailable", text, status=421).response()

    app = Starlette(
        routes=[route for one in actors.ENDPOINTS for route in one.routes()],
        middleware=[Middleware(Reception, meters=backend.meters), Middleware(Root)],
        exception_handlers={404: elsewhere, **dict.fromkeys((Problem, HTTPException, Exception), answer_problem)},
    )
    app.state.backend = backend
    return app


def create_worker_telemetry(backend: WorkerBackend) -> Starlette:
    """`/health`, `/ready` and `/metrics` of a worker."""

    async def ready(request: Request) -> Response:
        return readiness(request, {name: await check() for name, check in backend.checks.items()})

    async def metrics(request: Request) -> Response:
        sight = Sight(None, backend.inspect(""), backend.dead_letters())
        return await backend.meters.exposition(sight)

    return Starlette(routes=[LIVE, Route("/ready", ready), Route("/metrics", metrics)])
