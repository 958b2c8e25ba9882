"""The public door: `/health` and `/ready` for who watches over nodes, `/metrics` for Prometheus, `/docs` for people.

No secrets.
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from actors.protocol import GetState
from cluster.model import State
from cluster.presence import alarm
from portal.backend import Backend, Check
from portal.health import LIVE, actor_at, readiness
from portal.manual import manual
from portal.metrics import Sight
from supervisor.errors import ActorError

TIMEOUT = 2.0
API = "portal/api"


def create_telemetry(backend: Backend, api_port: int = 4000) -> Starlette:
    """The application that tells how `backend` is, and what its API is, which answers on the same host."""

    async def ready(request: Request) -> Response:
        state = await _state(backend)
        starting = state is not None and backend.identity.node not in state.nodes
        return readiness(request, await _checks(backend, state), starting=starting)

    async def metrics(request: Request) -> Response:
        sight = Sight(await _state(backend), backend.inspect(""), backend.dead_letters())
        return await backend.meters.exposition(sight)

    pages = manual(backend.identity.version, api_port)
    return Starlette(routes=[LIVE, Route("/ready", ready), Route("/metrics", metrics), *pages])


async def _state(backend: Backend) -> State | None:
    try:
        state = await backend.ask("senate", GetState(), TIMEOUT)
    except ActorError:
        return None
    return state if isinstance(state, State) else None


async def _checks(backend: Backend, state: State | None) -> dict[str, Check]:
    answered = Check(state is not None, "answers" if state is not None else "does not answer")
    checks = {
        "senate": answered,
        "store": _store(backend),
        "engine": _engine(backend, state),
        "api": _api(backend),
        "legion": _legion(state),
    }
    return checks | {name: await check() for name, check in backend.checks.items()}


def _store(backend: Backend) -> Check:
    """How the last commit ended: the Senate sees to it that there is one now and then while the store refuses."""
    senate = actor_at(backend.inspect("senate"), "senate")
    problem = str(senate.detail.get("problem", "")) if senate is not None else ""
    return Check(not problem, problem or "takes changes")


def _engine(backend: Backend, state: State | None) -> Check:
    node = state.nodes.get(backend.identity.node) if state is not None else None
    if node is None:
        return Check(False, "not heard of yet")
    return Check(node.status == "ready", node.message or node.status)


def _api(backend: Backend) -> Check:
    door = actor_at(backend.inspect(API), API)
    listens = door is not None and door.state == "running"
    return Check(listens, "listens" if listens else "does not listen: `gbnt actor tree` on this machine says why")


def _legion(state: State | None) -> Check:
    """Whether tasks of machines that are lost go on elsewhere."""
    words = alarm(state.settings) if state is not None else ""
    return Check(not words, words or "no alarm")
