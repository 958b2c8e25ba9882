"""How a node is, as anybody may ask: whether it lives, and whether it is ready for what it is there for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from portal.api.patience import address_of
from portal.backend import Check
from supervisor.inspection import ActorInfo

ESSENTIAL = frozenset({"senate", "store", "engine", "api", "manager"})
"""The parts without which a node is not ready. With another one ill it serves, degraded."""

NEARBY_ONLY = "is not well: `gbnt health` on that machine says why"


async def live(request: Request) -> Response:
    """`/health`: that there is an answer is all that it says."""
    return _json({"status": "ok"}, 200)


LIVE = Route("/health", live)


def readiness(request: Request, checks: Mapping[str, Check], *, starting: bool = False) -> Response:
    """`/ready`: 200 once the essential parts are well, 503 else, with the others beside them.

    Why a part is not well is for who asks from the machine itself: the words name addresses, paths and nodes.
    """
    well, near = all(check.ok for check in checks.values()), _is_near(request)
    ready = not starting and all(check.ok for name, check in checks.items() if name in ESSENTIAL)
    shown = {
        name: {"ok": check.ok, "detail": check.detail if near else "is well" if check.ok else NEARBY_ONLY}
        for name, check in checks.items()
    }
    status = "starting" if starting else "ok" if well else "degraded"
    return _json({"status": status, "ready": ready, "checks": shown}, 200 if ready else 503)


def actor_at(tree: Sequence[ActorInfo], path: str) -> ActorInfo | None:
    """The actor of that path."""
    return next((info for info in tree if info.address.path == path), None)


def _is_near(request: Request) -> bool:
    """Whether the question came from this machine, and through nobody who asks for others."""
    if {"forwarded", "x-forwarded-for"} & set(request.headers):
        return False
    try:
        return ip_address(address_of(request.scope)).is_loopback
    except ValueError:
        return False


def _json(body: object, status: int) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")
