"""The public door: `/health` for load balancers and container engines, `/metrics` for Prometheus. No secrets."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from actors.protocol import GetState
from cluster.model import State
from cluster.presence import alarm
from portal.backend import Backend, Check
from supervisor.errors import ActorError

TIMEOUT = 2.0


def create_telemetry(backend: Backend) -> Starlette:
    """The application that tells how `backend` is."""

    async def health(request: Request) -> Response:
        state = await _state(backend)
        checks = await _checks(backend, state)
        status = _status(backend, state, checks)
        shown = {name: {"ok": check.ok, "detail": check.detail} for name, check in checks.items()}
        code = 200 if status == "ok" else 503
        return Response(orjson.dumps({"status": status, "checks": shown}), code, media_type="application/json")

    async def metrics(request: Request) -> Response:
        from portal.metrics import CONTENT_TYPE, exposition  # its library is no part of what a start waits for

        return Response(exposition(backend, await _state(backend) or State()), media_type=CONTENT_TYPE)

    return Starlette(routes=[Route("/health", health), Route("/metrics", metrics)])


async def _state(backend: Backend) -> State | None:
    try:
        state = await backend.ask("senate", GetState(), TIMEOUT)
    except ActorError:
        return None
    return state if isinstance(state, State) else None


async def _checks(backend: Backend, state: State | None) -> dict[str, Check]:
    answered = Check(state is not None, "answers" if state is not None else "does not answer")
    checks = {"senate": answered, "store": _store(backend), "engine": _engine(backend, state), "legion": _legion(state)}
    return checks | {name: await check() for name, check in backend.checks.items()}


def _store(backend: Backend) -> Check:
    """How the last commit ended: the Senate sees to it that there is one now and then while the store refuses."""
    senate = next((actor for actor in backend.inspect("senate") if actor.address.path == "senate"), None)
    problem = str(senate.detail.get("problem", "")) if senate is not None else ""
    return Check(not problem, problem or "takes changes")


def _engine(backend: Backend, state: State | None) -> Check:
    node = state.nodes.get(backend.identity.node) if state is not None else None
    if node is None:
        return Check(False, "not heard of yet")
    return Check(node.status == "ready", node.message or node.status)


def _legion(state: State | None) -> Check:
    """Whether tasks of machines that are lost go on elsewhere."""
    words = alarm(state.settings) if state is not None else ""
    return Check(not words, words or "no alarm")


def _status(backend: Backend, state: State | None, checks: Mapping[str, Check]) -> str:
    """`starting` until this node has registered; then `degraded` while any check fails."""
    if all(check.ok for check in checks.values()):
        return "ok"
    return "starting" if state is None or backend.identity.node not in state.nodes else "degraded"
