"""Who may come in: bearer tokens, what each role may do, and patience with those who guess."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Mapping
from typing import Literal

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from actors.protocol import GetState, UseToken
from cluster.decide.nodes import USE_NOTED_EVERY
from cluster.model import State, Token
from portal.api.patience import Failures, address_of
from portal.api.problems import Problem
from portal.api.requests import CALLER, READ_TIMEOUT
from portal.backend import Backend
from portal.credentials import is_valid, parse
from supervisor.errors import ActorError

Role = Literal["admin", "operator", "viewer"]

ADMIN_S = ("/v1/tokens", "/v1/join-tokens")

READING = frozenset({"GET", "HEAD", "OPTIONS"})

_SOURCES = re.compile(r"/v1/stacks/.+/(revisions/.+/sources|draft)/?")


def may(role: Role, method: str, path: str) -> bool:
    """Whether a role may do this: credentials and restores are an admin's; a viewer only looks, and not at sources."""
    if role == "admin":
        return True
    if path.startswith("/v1/registries") and method not in READING:
        return False
    if path.startswith(ADMIN_S) or path == "/v1/snapshots/release-held":
        return False
    return role == "operator" or (method in READING and not _SOURCES.fullmatch(path))


def _method(scope: Scope) -> str:
    """A request's method. Over a WebSocket something is done, whatever method it is asked for by."""
    return str(scope["method"]) if scope["type"] == "http" else "WEBSOCKET"


class Doorkeeper:
    """ASGI middleware that lets nobody pass without a token whose role allows the request.

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
        self._first_used = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with a problem."""
        if scope["type"] == "lifespan" or (_method(scope), scope["path"]) in self._open:
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
        token = await self._token(Headers(scope=scope), now)
        if token is None:
            raise self._turned_away(scope, now)
        if not may(token.role, _method(scope), scope["path"]):
            raise Problem("forbidden", f'the token "{token.name}" has the role {token.role}, which may not do this')
        scope[CALLER] = token.id
        await self._note_use(token, now)
        if token.first and not self._first_used:
            await self._backend.first_sign_in()
            self._first_used = True

    async def _note_use(self, token: Token, now: float) -> None:
        if now - token.used_at < USE_NOTED_EVERY:
            return
        with contextlib.suppress(ActorError):  # a note is not worth a refusal
            await self._backend.ask("senate", UseToken(token.id), READ_TIMEOUT)

    async def _token(self, headers: Headers, now: float) -> Token | None:
        scheme, _, text = headers.get("authorization", "").partition(" ")
        credential = parse(text.strip()) if scheme.lower() == "bearer" else None
        if credential is None:
            return None
        token = (await self._known()).get(credential.id)
        return token if token is not None and is_valid(credential, token, now) else None

    async def _known(self) -> Mapping[str, Token]:
        """The tokens; the last known ones while the Senate is away, when actors and health matter most."""
        try:
            state = await self._backend.ask("senate", GetState(), READ_TIMEOUT)
        except ActorError:
            return self._tokens
        if isinstance(state, State):
            self._tokens = state.tokens
        return self._tokens

    def _turned_away(self, scope: Scope, now: float) -> Problem:
        text = "a good token is needed (Authorization: Bearer gbnt_...); `gbnt token create` on the manager makes one"
        problem = Problem("unauthorized", text, headers={"www-authenticate": "Bearer"})
        return self._failures.turn_away(address_of(scope), now, problem)
