"""Who may come in: bearer tokens, and patience with those who guess."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial

import anyio
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from actors.protocol import GetState, NoteDeed, UseToken
from cluster.audit import Caller, Deed
from cluster.decide.nodes import USE_NOTED_EVERY
from cluster.model import State, Token
from cluster.users import User, UserRole, role_of
from portal.api.access import CALLER, RANK, ROOT
from portal.api.parting import DISMISSED
from portal.api.patience import Failures, address_of
from portal.api.problems import Problem
from portal.api.request_ids import REQUEST
from portal.api.requests import READ_TIMEOUT, SEEN
from portal.backend import Backend
from portal.credentials import has_expired, is_valid, parse
from supervisor.errors import ActorError

LOOK_EVERY = 2.0
"""Seconds: so long a stream may go on by a token that is good no more."""


class Root:
    """ASGI middleware for a door that the system itself guards: whoever comes is the manager's own root."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        scope[CALLER] = replace(ROOT, request=REQUEST.get())
        await self._app(scope, receive, send)


class Doorkeeper:
    """ASGI middleware that lets nobody pass without a token, and says whose it is.

    A good token always passes, however many bad ones came from its address: a neighbour behind the same gateway
    cannot lock anybody out, and 256 random bits are not guessed. What is `open_to_all` (method and path) sees for
    itself who comes.
    """

    def __init__(
        self, app: ASGIApp, backend: Backend, failures: Failures, open_to_all: Collection[tuple[str, str]] = ()
    ) -> None:
        self._app = app
        self._backend = backend
        self._failures = failures
        self._open = open_to_all
        self._tokens: Mapping[str, Token] = {}
        self._users: Mapping[str, User] = {}
        self._first_used = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with a problem."""
        if scope["type"] == "lifespan" or (scope.get("method"), scope["path"]) in self._open:
            if scope["type"] == "http":
                scope[CALLER] = Caller("", "open", address=address_of(scope), request=REQUEST.get())
            await self._app(scope, receive, send)
            return
        try:
            await self._admit(scope)
        except Problem as problem:
            await problem.response()(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _admit(self, scope: Scope) -> None:
        now = self._backend.clock()
        found = await self._token(scope, now)
        if found is None:
            raise await self._turned_away(scope, now)
        token, role = found
        scope[CALLER] = Caller(token.user or token.name, role, token.id, address_of(scope), REQUEST.get())
        scope[DISMISSED] = partial(self._dismissed, token, role)
        await self._note_use(scope, token, now)
        if token.first and not self._first_used:
            await self._backend.first_sign_in()
            self._first_used = True

    async def _dismissed(self, then: Token, role: UserRole) -> None:
        """Return once who came in by this token with that role could do so no more."""
        may: UserRole | None = role
        while may is not None and RANK[may] >= RANK[role]:
            await anyio.sleep(LOOK_EVERY)
            await self._look()
            token = self._tokens.get(then.id)
            gone = token is None or token.hash != then.hash or has_expired(token, self._backend.clock())
            may = None if token is None or gone else role_of(token, self._users)

    async def _note_use(self, scope: Scope, token: Token, now: float) -> None:
        if now - token.used_at < USE_NOTED_EVERY:
            return
        scope.pop(SEEN, None)  # it does not have that
        with contextlib.suppress(ActorError):  # a note is not worth a refusal
            await self._backend.ask("senate", UseToken(token.id), READ_TIMEOUT)

    async def _token(self, scope: Scope, now: float) -> tuple[Token, UserRole] | None:
        """Whose token came, and what its holder may do."""
        scheme, _, text = Headers(scope=scope).get("authorization", "").partition(" ")
        credential = parse(text.strip()) if scheme.lower() == "bearer" else None
        if credential is None:
            return None
        state = await self._look()
        if scope.get("method") == "GET":
            scope[SEEN] = state
        token = self._tokens.get(credential.id)
        if token is None or not is_valid(credential, token, now):
            return None
        role = role_of(token, self._users)
        return None if role is None else (token, role)

    async def _look(self) -> State | None:
        """Learn of tokens and users; the last known ones stay while the Senate is away, when actors matter most."""
        with contextlib.suppress(ActorError):
            state = await self._backend.ask("senate", GetState(), READ_TIMEOUT)
            if isinstance(state, State):
                self._tokens, self._users = state.tokens, state.users
                return state
        return None

    async def _turned_away(self, scope: Scope, now: float) -> Problem:
        text = "a good token is needed (Authorization: Bearer gbnt_...): `gbnt login` signs a user in"
        text += ", and `gbnt token create` on the manager makes one"
        problem = Problem("unauthorized", text, headers={"www-authenticate": "Bearer"})
        told = self._failures.turn_away(address_of(scope), now, problem)
        if told is problem:  # who goes on guessing is not to fill the audit
            caller = Caller("", "open", address=address_of(scope), request=REQUEST.get())
            deed = Deed(caller, "sign-in", str(scope["path"]))
            with contextlib.suppress(ActorError):
                await self._backend.ask("senate", NoteDeed(deed, problem.code, problem.detail), READ_TIMEOUT)
        return told
