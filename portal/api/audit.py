"""`/v1/audit`: who did what, from where, and what came of it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from actors.protocol import Audit, GetAudit
from portal.access_rows import AuditRow, audit_row
from portal.api.endpoint import Endpoint, Query
from portal.api.requests import answer, ask, number, whole

DEFAULT_LIMIT = 100
LARGEST_LIMIT = 10_000


async def index(request: Request) -> Response:
    """The newest records, newest first; those before `before` where that is said."""
    query = request.query_params
    limit = whole(query, "limit", DEFAULT_LIMIT) or DEFAULT_LIMIT
    who, action, outcome = (query.get(name, "") for name in ("who", "action", "outcome"))
    before, since = whole(query, "before", 0) or 0, number(query, "since", 0.0) or 0.0
    wanted = GetAudit(before, min(limit, LARGEST_LIMIT), who, action, outcome, since)
    kept = await ask(request, "senate", wanted, Audit)
    return answer({"items": [audit_row(record) for record in kept.records]})


ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/audit",
        index,
        AuditRow,
        "list",
        "admin",
        query=(
            Query("who", "by the token of this name, or `root`"),
            Query("action", "of this action; stars are any, as `stacks.*`"),
            Query("outcome", "with this outcome, as `done` or `forbidden`"),
            Query("since", "from this time on, in seconds since the epoch", "number"),
            Query("before", "those before this `number`, for the next page", "whole"),
            Query("limit", "so many at most", "whole"),
        ),
    ),
)
