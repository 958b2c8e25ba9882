"""`/v1/cluster`: what concerns all of it."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from actors.protocol import ConfirmLoss, UpdateLegion
from cluster.policy import Privileged, privileged, takes_mighty
from cluster.presence import alarm, pause_above
from portal.api.bodies import body_of
from portal.api.endpoint import Query, Versioned, read, write
from portal.api.requests import answer, backend_of, change, key_of, state_of
from portal.shapes import Changed, ClusterShown


@dataclass(frozen=True, slots=True)
class ClusterChanges:
    """The body of a change; what is not in it stays as it is.

    Tasks are not replaced where more than `pause_above` percent of the machines are lost. `privileged`: whether stacks
    may use keys by which a container gets out of its walls.
    """

    pause_above: int | None = None
    privileged: Privileged | None = None


async def show(request: Request) -> Response:
    """Who answers, where, by whose authority, at which revision, and an alarm where a person has to say what to do."""
    state, backend = await state_of(request), backend_of(request)
    identity, gate = backend.identity, backend.gate
    return answer(
        {
            "name": identity.cluster,
            "id": identity.id,
            "version": identity.version,
            "revision": state.revision,
            "epoch": state.epoch,
            "node": identity.node,
            "api": gate.api if gate else "",
            "authority": gate.authority if gate else "",
            "alarm": alarm(state.settings),
            "pause_above": pause_above(state.settings),
            "privileged": privileged(state),
            "privileged_taken": takes_mighty(state),
        }
    )


async def update(request: Request) -> Response:
    """Change a setting. One of them makes whoever deploys as mighty as root, so that they are an admin's."""
    body = await body_of(request, ClusterChanges)
    return await change(request, UpdateLegion(body.pause_above, body.privileged, key_of(request)))


async def confirm_loss(request: Request) -> Response:
    """The machines that were lost at once are gone: replace their tasks."""
    return await change(request, ConfirmLoss(key_of(request)))


ITSELF = Versioned("cluster")
OF_STACK = Query("stack", "of this stack alone")
ENDPOINTS = (
    read("/v1/cluster", show, ClusterShown, versioned=ITSELF),
    write("PATCH", "/v1/cluster", update, Changed, body=ClusterChanges, access="admin", versioned=ITSELF),
    write("POST", "/v1/cluster/confirm-loss", confirm_loss, Changed),
)
