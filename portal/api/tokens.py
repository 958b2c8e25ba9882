"""`/v1/tokens`: credentials, whose secrets are shown once and kept nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from actors.protocol import Accepted, CreateToken, RevokeToken
from cluster.users import UserRole, name_objection
from portal.access_rows import TokenRow, token_row
from portal.api.auditing import specify
from portal.api.bodies import body_of
from portal.api.endpoint import listed, write
from portal.api.problems import Problem
from portal.api.requests import answer, backend_of, change, command, key_of, listing, state_of
from portal.credentials import new_credential
from portal.shapes import Changed

LONGEST_TTL = 100 * 365 * 24 * 3600.0


class TokenMade(TokenRow):
    """A new credential; `token` is what its owner sends, and is in no other answer."""

    token: str


@dataclass(frozen=True, slots=True)
class TokenWanted:
    """The body of a new token; `ttl` is in seconds, none for no expiry."""

    name: str
    role: UserRole
    ttl: float | None = None


async def index(request: Request) -> Response:
    """The tokens, oldest first."""
    state = await state_of(request)
    return listing(request, [token_row(token) for token in state.tokens.values()], state.revision, ("created_at", "id"))


async def create(request: Request) -> Response:
    """Make a token; this answer alone has its secret."""
    body = await body_of(request, TokenWanted)
    if why := name_objection(body.name, "token"):
        raise Problem("invalid", why)
    if body.ttl is not None and not 0 < body.ttl <= LONGEST_TTL:
        raise Problem("invalid", "a token needs a ttl of more than 0 seconds and at most 100 years, or none")
    credential, now = new_credential(), backend_of(request).clock()
    expires_at = now + body.ttl if body.ttl else 0.0
    until = f"until {datetime.fromtimestamp(expires_at, UTC):%Y-%m-%dT%H:%M:%SZ}" if expires_at else "for good"
    specify(request, subject=credential.id, detail=f"{body.name}, role {body.role}, {until}")
    wanted = CreateToken(
        credential.id, body.name, body.role, credential.hash, expires_at=expires_at, request=key_of(request)
    )
    try:
        accepted = await command(request, "senate", wanted, Accepted)
    except Problem as problem:
        if problem.code != "unknown":
            raise
        text = f"the manager did not answer in time, and a token {body.name} may have been made, {credential.id} by"
        raise Problem("unknown", f"{text} this try: `gbnt token ls` shows it; {_let_go(credential.id)}") from problem
    if credential.id not in accepted.changes:
        made_before = ", ".join(accepted.changes)
        text = f"this request made the token {made_before} already, and a secret is shown once"
        raise Problem("conflict", f"{text}: {_let_go(made_before)}")
    made = {"id": credential.id, "name": body.name, "role": body.role, "user": "", "expires_at": expires_at}
    return answer({**made, "created_at": now, "used_at": 0.0, "token": credential.text}, 201)


def _let_go(id: str) -> str:
    return f"if its answer was lost nobody has the secret, so `gbnt token rm {id}` and make another"


async def revoke(request: Request) -> Response:
    """Make a token worthless."""
    return await change(request, RevokeToken(request.path_params["id"], key_of(request)))


ENDPOINTS = (
    listed("/v1/tokens", index, TokenRow, access="admin"),
    write("POST", "/v1/tokens", create, TokenMade, body=TokenWanted, status=201, access="admin"),
    write("DELETE", "/v1/tokens/{id}", revoke, Changed, access="admin"),
)
