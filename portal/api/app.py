"""The API as one ASGI application."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from portal.api import (
    actors,
    builds,
    cluster,
    drafts,
    events,
    exec,
    joining,
    knocking,
    leaving,
    nodes,
    registries,
    revisions,
    services,
    snapshots,
    stacks,
    tasks,
    tokens,
)
from portal.api.doorkeeper import Doorkeeper
from portal.api.drain import Drain
from portal.api.patience import Failures
from portal.api.problems import Problem, answer_problem
from portal.backend import Backend, EngineFailed


def create_api(backend: Backend, *, trusted: bool = False) -> Starlette:
    """The API before `backend`. `trusted` asks for no token: for a door that the system itself guards."""
    resources = (
        cluster,
        nodes,
        stacks,
        revisions,
        drafts,
        services,
        tasks,
        exec,
        actors,
        events,
        tokens,
        joining,
        leaving,
        knocking,
        snapshots,
        builds,
        registries,
    )
    failures = Failures()
    open_to_all = joining.OPEN | leaving.OPEN | knocking.OPEN
    keeper = Middleware(Doorkeeper, backend=backend, failures=failures, open_to_all=open_to_all)
    app = Starlette(
        routes=[route for resource in resources for route in resource.ROUTES],
        middleware=[Middleware(Drain), *([] if trusted else [keeper])],
        exception_handlers=dict.fromkeys((Problem, EngineFailed, HTTPException, Exception), answer_problem),
    )
    app.state.backend = backend
    app.state.failures = failures
    return app
