"""`/v1/snapshots`: copies of the cluster's state."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from actors.protocol import CreateSnapshot, ListSnapshots, ReleaseHeld, SnapshotList, SnapshotMade
from portal.api.endpoint import listed, write
from portal.api.requests import answer, ask, change, command, key_of, listing
from portal.rows import snapshot_row
from portal.shapes import Changed, SnapshotRow


async def index(request: Request) -> Response:
    """The snapshots that are kept, newest first."""
    kept = await ask(request, "snapshots", ListSnapshots(), SnapshotList)
    return listing(request, [snapshot_row(snapshot) for snapshot in kept.snapshots], order=NEWEST_FIRST)


async def create(request: Request) -> Response:
    """Make one now; an Idempotency-Key has no effect on it."""
    return answer(snapshot_row(await command(request, "snapshots", CreateSnapshot(), SnapshotMade)), 201)


async def release_held(request: Request) -> Response:
    """After a restore: what this state does not know may be removed."""
    return await change(request, ReleaseHeld(key_of(request)))


NEWEST_FIRST = ("-created_at", "name")
ENDPOINTS = (
    listed("/v1/snapshots", index, SnapshotRow),
    write("POST", "/v1/snapshots", create, SnapshotRow, status=201),
    write("POST", "/v1/snapshots/release-held", release_held, Changed, access="admin"),
)
