"""`/v1/sessions` and `/v1/me`: a user signs in and out, and who asks may know of themselves.

A session is a bearer token that belongs to a user. Who fails is answered alike, and after about the same time, whatever
was wrong; how often is counted by address and by user.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import TypedDict

from actors.protocol import Accepted, ChangePassword, CloseSession, OpenSession
from cluster.audit import Caller
from cluster.model import State
from cluster.users import User, UserRole
from portal.api.access import caller_of
from portal.api.auditing import specify
from portal.api.bodies import body_of
from portal.api.endpoint import read, write
from portal.api.passwords import passwords_of
from portal.api.patience import Failures, address_of, network_of, too_many
from portal.api.problems import Problem
from portal.api.requests import answer, backend_of, change, command, key_of, state_of
from portal.api.users import hashed
from portal.credentials import Credential, new_credential
from portal.shapes import Changed

TTL = 12 * 3600.0
LONGEST_TTL = 30 * 24 * 3600.0
LONGEST_NAME = 63


class SessionMade(TypedDict):
    """A new session; `token` is what its user sends, and is in no other answer. `cluster` is the cluster's name."""

    id: str
    user: str
    role: UserRole
    cluster: str
    expires_at: float
    token: str


class MeShown(TypedDict):
    """Who asks: `user` is empty where it is a token of its own, and `token` too for root. `expires_at` 0 is never."""

    name: str
    role: str
    user: str
    token: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class SignIn:
    """The body of a sign-in; `ttl` is in seconds, 12 hours unless said, and 30 days at most."""

    username: str
    password: str = field(repr=False)
    ttl: float = TTL


@dataclass(frozen=True, slots=True)
class Exchange:
    """The body of a change of the own password."""

    current: str = field(repr=False)
    new: str = field(repr=False)


async def open(request: Request) -> Response:
    """Sign in; this answer alone has the session's token. An Idempotency-Key has no effect on it."""
    body = await body_of(request, SignIn)
    if not 0 < body.ttl <= LONGEST_TTL:
        raise Problem("invalid", f"a session's ttl is more than 0 and at most {LONGEST_TTL:.0f} seconds, 30 days")
    state = await state_of(request)
    user = state.users.get(body.username)
    if user is not None:  # what was typed where a name belongs may be a password, and is not kept
        specify(request, subject=user.name)
    attempt = _Attempt(request, body.username)
    right = await passwords_of(request).is_right(body.password, user.hash if user else None)
    if user is None or user.disabled or not right:
        raise _turned_away()
    made = await _opened(request, user, body.ttl)
    attempt.was_good()
    return made


async def close(request: Request) -> Response:
    """Sign out: end the session that asks."""
    state, caller = await state_of(request), caller_of(request)
    _own_user(state, caller)
    return await change(request, CloseSession(caller.token, key_of(request)))


async def me(request: Request) -> Response:
    """Who asks, and what they may do."""
    state, caller = await state_of(request), caller_of(request)
    token = state.tokens.get(caller.token)
    user, expires_at = (token.user, token.expires_at) if token else ("", 0.0)
    told: MeShown = {
        "name": caller.name,
        "role": caller.role,
        "user": user,
        "token": caller.token,
        "expires_at": expires_at,
    }
    return answer(told)


async def change_password(request: Request) -> Response:
    """Change the own password. All other sessions of the user end."""
    body, state, caller = await body_of(request, Exchange), await state_of(request), caller_of(request)
    user, key = _own_user(state, caller), key_of(request)
    wanted = ChangePassword(user.name, "", "", caller.token, key)
    attempt = _Attempt(request, user.name)
    if key and key in state.commands:  # by now the password before is not the present one
        await hashed(request, user.name, body.new)
        attempt.was_good()
        return await change(request, wanted)
    if not await passwords_of(request).is_right(body.current, user.hash):
        raise Problem("forbidden", "the present password is another one: nothing was changed")
    attempt.was_good()
    hash = await hashed(request, user.name, body.new)
    return await change(request, replace(wanted, hash=hash, seen=user.hash))


class _Attempt:
    """One try to guess, counted before it is known to be none: many at a time count, too. Raises Problem."""

    def __init__(self, request: Request, username: str) -> None:
        now, state = backend_of(request).clock(), request.app.state
        network = network_of(address_of(request.scope))
        kept: list[tuple[Failures, str]] = [(state.failures, network), (state.guesses, username[:LONGEST_NAME])]
        pause = max(failures.pause(who, now) for failures, who in kept)
        if pause > 0:
            raise too_many(f"from {network or 'this socket'}, or as this user", pause, "the right password")
        for failures, who in kept:
            failures.count(who, now)
        self._kept, self._at = kept, now

    def was_good(self) -> None:
        """It was none."""
        for failures, who in self._kept:
            failures.forgive(who, self._at)


async def _opened(request: Request, user: User, ttl: float) -> Response:
    credential, now = new_credential(), backend_of(request).clock()
    signed_in = replace(caller_of(request), name=user.name, role=user.role, token=credential.id)
    specify(request, subject=user.name, caller=signed_in)
    wanted = OpenSession(credential.id, user.name, credential.hash, user.hash, now + ttl)
    try:
        await command(request, "senate", wanted, Accepted)
    except Problem as problem:
        if problem.code != "forbidden":
            raise
        raise _turned_away() from None  # the user was changed meanwhile
    return _made(request, credential, user, now + ttl)


def _made(request: Request, credential: Credential, user: User, expires_at: float) -> Response:
    told: SessionMade = {
        "id": credential.id,
        "user": user.name,
        "role": user.role,
        "cluster": backend_of(request).identity.cluster,
        "expires_at": expires_at,
        "token": credential.text,
    }
    return answer(told, 201)


def _own_user(state: State, caller: Caller) -> User:
    """The user who asks. Raises Problem for a token that is no user's."""
    token = state.tokens.get(caller.token)
    user = state.users.get(token.user) if token else None
    if user is None:
        raise Problem("conflict", f"{caller.name} is no user who signed in: there is no session and no password")
    return user


def _turned_away() -> Problem:
    text = "no user signs in by this name and password; an admin, or root on the manager's machine, can set another"
    return Problem("unauthorized", f"{text} (`gbnt user reset-password`)")


ENDPOINTS = (
    write("POST", "/v1/sessions", open, SessionMade, body=SignIn, status=201, access="open"),
    write("DELETE", "/v1/sessions/current", close, Changed, access="own"),
    read("/v1/me", me, MeShown, access="own"),
    write("POST", "/v1/me/password", change_password, Changed, body=Exchange, access="own"),
)
