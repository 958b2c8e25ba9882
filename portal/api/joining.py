"""`/v1/join`, `/v1/renew` and `/v1/join-tokens`: how machines become nodes, and stay them.

The first two ask for no bearer token: a join token or a node's own proof is what counts there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import TypedDict

from actors.protocol import (
    Accepted,
    AdmitNode,
    CertifyNode,
    IssueJoinToken,
    RevokeJoinToken,
    RotateJoinTokens,
)
from cluster.membership import is_host, is_member, managers
from cluster.model import State
from portal.access_rows import JoinTokenRow, join_token_row
from portal.api.admission import gate_of, proven, turned_away
from portal.api.auditing import specify
from portal.api.bodies import body_of
from portal.api.endpoint import listed, write
from portal.api.patience import address_of
from portal.api.problems import Problem
from portal.api.requests import answer, backend_of, change, command, key_of, listing, state_of
from portal.credentials import new_credential
from portal.gate import Gate, NotAdmitted, Role
from portal.shapes import Changed

NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,62})")


class ManagerRow(TypedDict):
    """A manager, and where it hears other nodes."""

    node: str
    name: str
    address: str
    port: int


class NodeCertified(TypedDict):
    """A node's certificate, with all that it needs in order to speak to the managers. Both certificates are PEM."""

    cluster: str
    node: str
    name: str
    role: Role
    certificate: str
    expires_at: float
    authority: str
    managers: list[ManagerRow]


class JoinTokenMade(TypedDict):
    """A new join token; `token` is its text and is in no other answer, `manager` where machines join with it."""

    id: str
    role: Role
    expires_at: float
    uses: int
    changes: Mapping[str, str]
    token: str
    manager: str


@dataclass(frozen=True, slots=True)
class JoinTokenWanted:
    """The body of a new join token: good for `ttl` seconds and `uses` machines.

    `rotate` makes all others of its role worthless.
    """

    role: Role = "worker"
    ttl: float = 3600.0
    uses: int = 1
    rotate: bool = False


@dataclass(frozen=True, slots=True)
class Arrival:
    """The body of a machine that joins. An empty address is the one that it comes from."""

    token: str
    csr: str
    name: str
    address: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Renewal:
    """The body of a node that wants its next certificate."""

    csr: str


async def index(request: Request) -> Response:
    """The join tokens, oldest first, without their texts."""
    state, now = await state_of(request), backend_of(request).clock()
    rows = [join_token_row(token, now) for token in state.join_tokens.values()]
    return listing(request, rows, state.revision, ("created_at", "id"))


async def create(request: Request) -> Response:
    """Make a join token; this answer alone has its text."""
    body, gate = await body_of(request, JoinTokenWanted), gate_of(request)
    if not 0 < body.ttl < 2**40:
        raise Problem("invalid", "a join token needs a ttl of more than 0 seconds")
    id, expires_at = new_credential().id, float(int(backend_of(request).clock() + body.ttl))
    kind = RotateJoinTokens if body.rotate else IssueJoinToken
    accepted = await command(request, "senate", kind(id, body.role, expires_at, body.uses, key_of(request)), Accepted)
    if id not in accepted.changes:
        raise Problem("conflict", "this request made its token already, and a token is shown once: make another token")
    made = {"id": id, "role": body.role, "expires_at": expires_at, "uses": body.uses, "changes": accepted.changes}
    return answer({**made, "token": gate.issue(id, body.role, expires_at), "manager": gate.api}, 201)


async def revoke(request: Request) -> Response:
    """Make a join token worthless."""
    return await change(request, RevokeJoinToken(request.path_params["id"], key_of(request)))


async def join(request: Request) -> Response:
    """Let a machine become a node by a join token. The same key and token again is answered alike, and used once."""
    body, gate = await body_of(request, Arrival), gate_of(request)
    try:
        token = gate.token_id(body.token)
    except NotAdmitted as error:
        raise turned_away(request, error, "unauthorized") from None
    key, address = _key(gate, body.csr), body.address or address_of(request.scope)
    if not NAME.fullmatch(body.name) or not is_host(address) or len(body.version) > 64:
        raise Problem(
            "invalid", "the node's name or address is none: use letters, digits, `.`, `_` and `-` (--node-name)"
        )
    specify(request, subject=body.name, detail=f"by the join token {token}")
    wanted = AdmitNode(token, key, body.name, address, body.version, request=f"join:{token}:{key}")
    try:
        accepted = await command(request, "senate", wanted, Accepted)
    except Problem as problem:
        if problem.code != "forbidden":
            raise
        raise turned_away(
            request, NotAdmitted(problem.detail, f"join token {token}: {problem.detail}"), "forbidden"
        ) from None
    return await _certified(request, gate, accepted.detail["node"], body.csr)


async def renew(request: Request) -> Response:
    """Give a node that proves who it is the certificate of its next key."""
    body, gate, state = await body_of(request, Renewal), gate_of(request), await state_of(request)
    node = proven(request, "renew", partial(is_member, state))
    _key(gate, body.csr)
    return await _certified(request, gate, node, body.csr)


async def _certified(request: Request, gate: Gate, id: str, csr: str) -> Response:
    """The node's certificate by what the state says of it now, noted before it is handed out."""
    state = await state_of(request)
    node = state.nodes.get(id)
    if node is None:
        told = "the node that joined so was removed: join again with a new join token (`gbnt legion join-token`)"
        raise Problem("forbidden", told)
    made = gate.sign(csr, id, node.role)
    await command(request, "senate", CertifyNode(id, made.serial, made.expires_at), Accepted)
    return answer(
        {
            "cluster": backend_of(request).identity.id,
            "node": id,
            "name": node.name,
            "role": node.role,
            "certificate": made.certificate,
            "expires_at": made.expires_at,
            "authority": gate.authority,
            "managers": _managers(state, backend_of(request).identity.node, gate),
        }
    )


def _managers(state: State, own: str, gate: Gate) -> list[dict[str, object]]:
    return [
        {"node": node.id, "name": node.name, "address": node.address, "port": gate.link_port}
        for node in managers(state, own)
    ]


def _key(gate: Gate, csr: str) -> str:
    try:
        return gate.key_of(csr)
    except NotAdmitted as error:
        raise Problem("invalid", str(error)) from None


ENDPOINTS = (
    write("POST", "/v1/join", join, NodeCertified, body=Arrival, access="open"),
    write("POST", "/v1/renew", renew, NodeCertified, body=Renewal, access="open"),
    listed("/v1/join-tokens", index, JoinTokenRow, access="admin"),
    write("POST", "/v1/join-tokens", create, JoinTokenMade, body=JoinTokenWanted, status=201, access="admin"),
    write("DELETE", "/v1/join-tokens/{id}", revoke, Changed, access="admin"),
)
