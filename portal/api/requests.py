"""What all handlers share: the backend, questions and commands to actors, parameters, and the shapes of answers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeVar, cast

import orjson
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from actors.protocol import Accepted, GetState, Refused
from cluster.model import State
from portal.api.problems import Problem, refusal, unanswered
from portal.backend import Backend
from supervisor.errors import ActorError

CALLER = "gbnt.caller"
"""The key of an ASGI scope under which the doorkeeper puts the id of the caller's token."""

LONGEST_KEY = 200
READ_TIMEOUT = 5.0
WRITE_TIMEOUT = 30.0

T = TypeVar("T")


def backend_of(request: HTTPConnection) -> Backend:
    """The node behind the door."""
    return cast(Backend, request.app.state.backend)


async def state_of(request: HTTPConnection) -> State:
    """The cluster's present state."""
    return await ask(request, "senate", GetState(), State)


async def ask(request: HTTPConnection, path: str, message: object, answer: type[T], timeout: float = READ_TIMEOUT) -> T:
    """An actor's answer to a question; raises Problem for a refusal, and where none comes."""
    try:
        reply = await backend_of(request).ask(path, message, timeout)
    except ActorError as error:
        raise unanswered(error, writing=False) from error
    return expected(reply, answer)


async def command(request: Request, path: str, message: object, answer: type[T]) -> T:
    """An actor's answer to a change; raises Problem for a refusal, and where nobody knows whether it was made."""
    try:
        reply = await backend_of(request).ask(path, message, WRITE_TIMEOUT)
    except ActorError as error:
        raise unanswered(error, writing=True) from error
    return expected(reply, answer)


def expected(reply: object, answer: type[T]) -> T:
    """The reply of that kind; raises Problem where it is a refusal."""
    if isinstance(reply, Refused):
        raise refusal(reply)
    if not isinstance(reply, answer):
        raise TypeError(f"expected {answer.__name__} for an answer, got {type(reply).__name__}")
    return reply


async def change(request: Request, message: object, status: int = 200) -> Response:
    """Ask the Senate for a change, and answer with what became of it."""
    accepted = await command(request, "senate", message, Accepted)
    return answer(accepted, status)


def answer(value: object, status: int = 200) -> Response:
    """A JSON response; dataclasses become objects."""
    return Response(orjson.dumps(value), status, media_type="application/json")


def listing(items: object, revision: int) -> Response:
    """The shape that all lists of the cluster's state have."""
    return answer({"items": items, "revision": revision})


def key_of(request: Request) -> str:
    """The request's Idempotency-Key as the caller's own, for another may choose the same; empty where there is none."""
    key = request.headers.get("idempotency-key", "")
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise Problem("invalid", f"the Idempotency-Key must be at most {LONGEST_KEY} printable characters")
    return f"{request.scope.get(CALLER, '')}:{key}" if key else ""


async def caller_of(request: Request) -> str:
    """The name of whose token the request came with; empty for the manager's own root, who needs none."""
    token = (await state_of(request)).tokens.get(request.scope.get(CALLER, ""))
    return token.name if token is not None else ""


def flag(request: Request, name: str) -> bool:
    """Whether a parameter such as `follow=1` is set."""
    return request.query_params.get(name, "").lower() in ("1", "true", "yes")


def number(parameters: Mapping[str, str], name: str, default: float | None = None) -> float | None:
    """A parameter that is a number of at least 0."""
    text = parameters.get(name, "")
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < 2**63:
        raise Problem("invalid", f'the parameter "{name}" must be a number of at least 0, not "{text[:40]}"')
    return value


def whole(parameters: Mapping[str, str], name: str, default: int | None = None) -> int | None:
    """A parameter that is a whole number of at least 0."""
    value = number(parameters, name)
    if value is None:
        return default
    if value != int(value):
        raise Problem("invalid", f'the parameter "{name}" must be a whole number')
    return int(value)
