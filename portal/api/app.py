"""The API as one ASGI application."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from portal.api import (
    actors,
    audit,
    builds,
    cluster,
    configs,
    drafts,
    events,
    exec,
    joining,
    knocking,
    leaving,
    names,
    networks,
    nodes,
    openapi,
    registries,
    revisions,
    services,
    sessions,
    snapshots,
    stacks,
    stats,
    system,
    tasks,
    tokens,
    users,
    volumes,
)
from portal.api.doorkeeper import Doorkeeper, Root
from portal.api.drain import Drain
from portal.api.endpoint import Endpoint
from portal.api.origins import Origins
from portal.api.passwords import Passwords
from portal.api.patience import Failures
from portal.api.problems import Problem, answer_problem
from portal.api.reception import Reception
from portal.backend import Backend, EngineFailed

RESOURCES = (
    cluster,
    nodes,
    stacks,
    revisions,
    drafts,
    services,
    configs,
    tasks,
    exec,
    actors,
    events,
    audit,
    tokens,
    users,
    sessions,
    joining,
    leaving,
    knocking,
    snapshots,
    builds,
    registries,
    names,
    networks,
    volumes,
    system,
    stats,
    openapi,
)
ENDPOINTS: tuple[Endpoint, ...] = tuple(one for resource in RESOURCES for one in resource.ENDPOINTS)
"""All that the API has."""


def create_api(backend: Backend, *, trusted: bool = False, manual_port: int = 0) -> Starlette:
    """The API before `backend`. `trusted` asks for no token: for a door that the system itself guards.

    The page about it that is served at `manual_port` of the same host may ask it from a browser; 0 is none.
    """
    failures = Failures()
    open_to_all = {(method, one.path) for one in ENDPOINTS if one.access == "open" for method in (one.method, "HEAD")}
    keeper = Middleware(Doorkeeper, backend=backend, failures=failures, open_to_all=open_to_all)
    pages = [Middleware(Origins, port=manual_port)] if manual_port else []
    reception = Middleware(Reception, meters=backend.meters)
    app = Starlette(
        routes=[route for one in ENDPOINTS for route in one.routes()],
        middleware=[reception, *pages, Middleware(Drain), Middleware(Root) if trusted else keeper],
        exception_handlers=dict.fromkeys((Problem, EngineFailed, HTTPException, Exception), answer_problem),
    )
    app.state.backend = backend
    app.state.failures = failures
    app.state.guesses = Failures()
    app.state.refusals = Failures()
    app.state.passwords = Passwords()
    return app
