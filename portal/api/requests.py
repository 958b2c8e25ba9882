"""What all handlers share: the backend, questions and commands to actors, parameters, and the shapes of answers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

import orjson
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from actors.protocol import Accepted, Asked, GetState, Refused
from cluster.model import State
from portal.api.access import caller_of
from portal.api.pages import BadList, Filter, Wish, opened, page
from portal.api.parameters import YES
from portal.api.problems import Problem, refusal, unanswered
from portal.api.selectors import BadSelector, parse
from portal.backend import Backend
from supervisor.errors import ActorError

DEED = "gbnt.deed"
KEPT = "gbnt.deed.kept"
EXPECTED = "gbnt.expected"
FIELDS = "gbnt.fields"
SEEN = "gbnt.seen"
"""The keys of an ASGI scope under which stands what is done and for whom, that the Senate has that with what it
decided, what the caller expects to be there, which fields the rows of an answer have, and the state by which whoever
only reads was let in."""

LONGEST_KEY = 200
READ_TIMEOUT = 5.0
WRITE_TIMEOUT = 30.0

T = TypeVar("T")


def backend_of(request: HTTPConnection) -> Backend:
    """The node behind the door."""
    return cast(Backend, request.app.state.backend)


async def state_of(request: HTTPConnection) -> State:
    """The cluster's present state. Who only reads is shown what he was let in by, once: a second look is a new one."""
    seen = request.scope.pop(SEEN, None)
    if isinstance(seen, State):
        return seen
    return await ask(request, "senate", GetState(), State)


async def ask(request: HTTPConnection, path: str, message: object, answer: type[T], timeout: float = READ_TIMEOUT) -> T:
    """An actor's answer to a question; raises Problem for a refusal, and where none comes."""
    try:
        reply = await backend_of(request).ask(path, message, timeout)
    except ActorError as error:
        raise unanswered(error, writing=False) from error
    return expected(reply, answer)


async def command(request: HTTPConnection, path: str, message: object, answer: type[T], *, begins: bool = False) -> T:
    """An actor's answer to a change; raises Problem for a refusal, and where nobody knows whether it was made.

    The first one that the Senate gets for a request is with the deed, which it keeps in its audit; where that but
    `begins` something the audit is to be told of its end, too.
    """
    deed = request.scope.get(DEED) if path == "senate" and not request.scope.get(KEPT) else None
    order = message if deed is None else Asked(message, deed, request.scope.get(EXPECTED), begins)
    try:
        reply = await backend_of(request).ask(path, order, WRITE_TIMEOUT)
    except ActorError as error:
        raise unanswered(error, writing=True) from error
    kept = deed is not None and (not begins or isinstance(reply, Refused))
    request.scope[KEPT] = kept or request.scope.get(KEPT, False)
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


def listing(
    request: Request, rows: Sequence[Mapping[str, Any]], revision: int | None = None, order: Sequence[str] = ("name",)
) -> Response:
    """What is wanted of a list, in the shape that all lists have. `order` are the fields that tell its rows apart."""
    try:
        found = page(rows, _wish(request, order), order)
    except (BadList, BadSelector) as error:
        raise Problem("invalid", str(error)) from error
    told = {} if revision is None else {"revision": revision}
    return answer({"items": found.items, **told, "continue": found.next, "remaining": found.remaining})


def _wish(request: Request, order: Sequence[str]) -> Wish:
    query, known = request.query_params, request.scope.get(FIELDS) or frozenset[str]()
    filters = tuple(map(Filter.of, query.getlist("filter")))
    sort = tuple(filter(None, query.get("sort", "").split(",")))
    for name in (*(one.field for one in filters), *(name.removeprefix("-") for name in sort)):
        if name.partition(".")[0] not in known:
            raise BadList(f'the rows of this list have no field "{name}", but {", ".join(sorted(known))}')
    if query.get("selector") and "labels" not in known:
        raise BadList("the rows of this list have no labels to select by: leave out selector, or take filter")
    after = opened(query["continue"], len(sort) + len(order)) if query.get("continue") else None
    return Wish(filters, parse(query.get("selector", "")), sort, whole(query, "limit") or None, after)


def key_of(request: Request) -> str:
    """The request's Idempotency-Key as the caller's own, for another may choose the same; empty where there is none."""
    key = request.headers.get("idempotency-key", "")
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise Problem("invalid", f"the Idempotency-Key must be at most {LONGEST_KEY} printable characters")
    return f"{caller_of(request).token}:{key}" if key else ""


def flag(request: Request, name: str) -> bool:
    """Whether a parameter such as `follow=1` is set."""
    return request.query_params.get(name, "").lower() in YES


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
