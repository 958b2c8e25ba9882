"""The API's own description, OpenAPI 3.1, made of the table of its endpoints and of the types that validate."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any

from portal.api.app import ENDPOINTS
from portal.api.endpoint import TAG, Endpoint, Query
from portal.api.requests import LONGEST_KEY
from portal.schemas import Schema, Schemas
from portal.shapes import LineFailed, ProblemShown

ABOUT = (
    "What `gbnt` itself uses, and nothing else. Times are seconds since the epoch, sizes are bytes, durations are "
    "seconds. Every refusal is a problem document (RFC 9457) whose `detail` says what to do next."
)
ROLES = {
    "open": "Asks for no bearer token: a password, a join token or a node's own proof is what counts.",
    "own": "For every role: it is about who asks.",
    "viewer": "For every role.",
    "operator": "For operators and admins.",
    "admin": "For admins alone.",
}
PARTS = {
    "name": "the name of the stack, or of what the path is of",
    "stack": "a stack's name",
    "service": "a service's name within its stack",
    "node": "a machine's name, its id or the beginning of one",
    "task": "a task's id, the beginning of one, or its name",
    "number": "a revision's number",
    "path": "an actor's path, as `services/shop/web`",
    "id": "a token's id",
    "user": "a user's name",
    "registry": "a registry, as `registry.example.org:5000`",
}
"""What stands for the parameters of paths."""

PROBLEMS = {
    400: "It is no HTTP: nothing is said beside.",
    401: "No good token.",
    403: "The token's role may not do this, or a join token is worthless.",
    404: "It is not there.",
    409: "Not as things are, or the word means several.",
    410: "What came after this place is no longer kept: read anew.",
    412: "It was changed since it was read: nothing was done.",
    413: "The body is too large.",
    422: "The request is wrong; `findings` may list each place.",
    429: "Asked too often without a good token.",
    431: "The path and headers are larger than is read of them (16 KiB over HTTP/1.1): nothing is said beside, and who "
    "still sends may only see the connection end.",
    503: "Not now. Where `code` is `unknown` the change may have been made: repeat it with the same key.",
}
WORDLESS = (400, 431)
"""What is answered before the API is asked, with no body."""

HEADERS = {
    401: {"WWW-Authenticate": {"description": "What is asked for.", "schema": {"type": "string"}}},
    429: {"Retry-After": {"description": "After so many seconds.", "schema": {"type": "integer", "minimum": 0}}},
}
KINDS: Mapping[str, Schema] = {
    "text": {"type": "string"},
    "flag": {"type": "boolean"},
    "number": {"type": "number", "minimum": 0},
    "whole": {"type": "integer", "minimum": 0},
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same change under the same key again is answered as the first time, and nothing is done twice.",
    "schema": {"type": "string", "maxLength": LONGEST_KEY},
}
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "The version, as `ETag` told it, that is to be changed; `*` where it is only to be there.",
    "schema": {"type": "string", "pattern": f"^(?:{TAG.pattern})$"},
}
LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "The place of the last event that was seen, as `after`.",
    "schema": {"type": "string"},
}
LINES, FEED, JSON, PROBLEM = (
    "application/x-ndjson",
    "text/event-stream",
    "application/json",
    "application/problem+json",
)


@cache
def document(version: str, server: str = "/") -> Schema:
    """The whole description of the API of gbnt `version`, which answers at `server`."""
    schemas = Schemas(_types())
    paths: dict[str, dict[str, Any]] = {}
    for one in ENDPOINTS:
        paths.setdefault(_path(one), {})[one.method.lower()] = _operation(one, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Gubernator", "version": version, "description": ABOUT},
        "servers": [{"url": server}],
        "security": [{"token": []}],
        "tags": [{"name": name, "description": about} for name, about in _tags().items()],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "responses": {f"Problem{status}": _problem(status, schemas) for status in PROBLEMS},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "gbnt_ID_SECRET"}},
        },
    }


def _types() -> Iterator[tuple[Any, Any]]:
    yield from ((ProblemShown, "answer"), (LineFailed, "answer"))
    for one in ENDPOINTS:
        if one.answer is not None:
            yield one.answer, "answer"
        if one.body is not None and not isinstance(one.body, str):
            yield one.body, "body"


def _path(one: Endpoint) -> str:
    return re.sub(r":\w+}", "}", one.path)


def _tag(one: Endpoint) -> str:
    return one.name.partition(".")[0]


def _tags() -> dict[str, str]:
    modules = {_tag(one): sys.modules[one.do.__module__] for one in ENDPOINTS}
    return {name: (inspect.getdoc(module) or "").partition("\n")[0] for name, module in modules.items()}


def _operation(one: Endpoint, schemas: Schemas) -> Schema:
    told: dict[str, Any] = {
        "operationId": one.name,
        "tags": [_tag(one)],
        "summary": one.about.partition(". ")[0].rstrip("."),
        "description": f"{one.about}\n\n{ROLES[one.access]}",
        "parameters": [*_parameters(one)],
        "responses": _responses(one, schemas),
    }
    if one.access == "open":
        told["security"] = []
    if one.shape == "socket":
        told["x-websocket"] = {
            "description": inspect.getdoc(sys.modules[one.do.__module__]),
            "first": schemas.of(one.body, "body"),
        }
    elif one.is_streamed:
        told["x-websocket"] = {"description": "The same stream over a WebSocket, a text message a line."}
    if one.body is not None and one.shape != "socket":
        content = {one.body: {}} if isinstance(one.body, str) else {JSON: {"schema": schemas.of(one.body, "body")}}
        told["requestBody"] = {"content": content, "required": True}
    return told


def _parameters(one: Endpoint) -> Iterator[Schema]:
    for name in _parts(one):
        schema = {"type": "string", "minLength": 1} if name != "number" else KINDS["whole"]
        yield {"name": name, "in": "path", "required": True, "description": PARTS[name], "schema": schema}
    for query in one.query:
        yield {"name": query.name, "in": "query", "description": query.about, "schema": _asked(query)}
    if one.changes and one.shape == "one" and one.access != "open":
        yield IDEMPOTENCY_KEY
    if one.changes and one.versioned:
        yield IF_MATCH
    if one.shape == "feed":
        yield LAST_EVENT_ID


def _parts(one: Endpoint) -> list[str]:
    return re.findall(r"{(\w+)", one.path)


def _asked(query: Query) -> Schema:
    kind = {**KINDS["text"], "maxLength": query.longest} if query.kind == "text" else KINDS[query.kind]
    return {"type": "array", "items": kind} if query.many else kind


def _responses(one: Endpoint, schemas: Schemas) -> Schema:
    refusals = {str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in _refusals(one)}
    return {"101" if one.shape == "socket" else str(one.status): _good(one, schemas), **refusals}


def _good(one: Endpoint, schemas: Schemas) -> Schema:
    if one.shape == "socket":
        return {"description": "The WebSocket is open."}
    told: dict[str, Any] = {"description": HTTPStatus(one.status).phrase, "content": _content(one, schemas)}
    if one.versioned and not one.changes:
        told["headers"] = {"ETag": {"description": "Its version.", "schema": {"type": "string"}}}
    return told


def _content(one: Endpoint, schemas: Schemas) -> Schema:
    row = schemas.of(one.answer, "answer")
    stream = {"x-item": {"anyOf": [row, schemas.of(LineFailed, "answer")]}}
    match one.shape:
        case "lines":
            return {LINES: stream}
        case "feed":
            return {JSON: {"schema": _list(one, row)}, LINES: stream, FEED: stream}
        case "list":
            return {JSON: {"schema": _list(one, row)}}
    return {JSON: {"schema": row}}


def _list(one: Endpoint, row: Schema) -> Schema:
    told: dict[str, Any] = {"items": {"type": "array", "items": row}, "revision": KINDS["whole"]}
    required = ["items"]
    if any(query.name == "continue" for query in one.query):
        told |= {"continue": KINDS["text"], "remaining": KINDS["whole"]}
        required += ["continue", "remaining"]
    return {"type": "object", "properties": told, "required": required}


def _refusals(one: Endpoint) -> Iterator[int]:
    """The statuses of the problems that may come instead of the answer."""
    named = bool(_parts(one)) or any(query.name in ("node", "task") for query in one.query)
    may = {
        400: True,
        401: True,
        403: one.access != "viewer" and (one.access != "own" or one.changes),
        404: named,
        409: named or one.changes,
        410: one.shape == "feed",
        412: bool(one.changes and one.versioned),
        413: one.body is not None and not isinstance(one.body, str) and one.shape != "socket",
        422: bool(one.query or one.body is not None or one.changes or "number" in _parts(one)),
        429: True,
        431: True,
        503: True,
    }
    return (status for status, it_may in may.items() if it_may)


def _problem(status: int, schemas: Schemas) -> Schema:
    if status in WORDLESS:
        return {"description": PROBLEMS[status]}
    told: dict[str, Any] = {
        "description": PROBLEMS[status],
        "content": {PROBLEM: {"schema": schemas.of(ProblemShown, "answer")}},
    }
    return {**told, "headers": HEADERS[status]} if status in HEADERS else told
