"""What the API is made of: each endpoint says what it takes and answers, and who may ask.

Routes, access, the audit, the API's own document and the reference are made from the same table.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from cluster.decide.versions import version
from cluster.expected import ANY, Expected, Kind
from portal.api.access import Access, require
from portal.api.auditing import audited, ended
from portal.api.lines import Lines, serve_socket
from portal.api.parameters import check
from portal.api.problems import Problem, as_problem
from portal.api.requests import EXPECTED, FIELDS, SEEN, state_of

Handler = Callable[[Any], Awaitable[Any]]
TAG = re.compile(r'\*|(?:W/)?"([!#-)+-~]+)"')
"""A version in `If-Match`; what lies in between may have made its tag a weak one."""
LIST = 16 * 1024
"""The longest parameter that holds any number of things, as names of volumes: a request's line has no more room."""

Shape = Literal["one", "list", "lines", "feed", "socket"]
"""A `feed` is a list where it is not followed, and server-sent events for who accepts these."""


@dataclass(frozen=True, slots=True)
class Query:
    """A parameter in a path's query. A `flag` is `1`; a `number` is at least 0, a `whole` one has no fraction.

    `many` may stand more than once. `longest` is in characters: whoever may only look is not to give much work.
    """

    name: str
    about: str
    kind: Literal["text", "flag", "number", "whole"] = "text"
    many: bool = False
    longest: int = 256


@dataclass(frozen=True, slots=True)
class Versioned:
    """A thing with a version, which `ETag` tells and `If-Match` expects; `key` is of the path's parameters."""

    kind: Kind
    key: str = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path. `answer` is the type of what comes, or of each item or line of it.

    `status` is the good answer's. `body` is the type of a JSON body or of a socket's first message, or a media type.
    `changes` says that it does something: then it is in the audit, and takes an Idempotency-Key.
    """

    method: str
    path: str
    do: Handler
    answer: Any
    shape: Shape = "one"
    access: Access = "viewer"
    changes: bool = False
    body: Any = None
    status: int = 200
    query: tuple[Query, ...] = ()
    versioned: Versioned | None = None

    @property
    def name(self) -> str:
        """What it is called in the audit, in figures and by programs: `stacks.deploy`."""
        return f"{self.do.__module__.rpartition('.')[2]}.{self.do.__name__}"

    @property
    def about(self) -> str:
        """What it does, in its function's words."""
        return " ".join((self.do.__doc__ or "").split())

    @property
    def is_streamed(self) -> bool:
        """Whether it is a stream that is only read."""
        return self.shape == "feed" or (self.shape == "lines" and not self.changes)

    def routes(self) -> list[BaseRoute]:
        """What serves it: a stream that is only read is served over a WebSocket, too."""
        socket = WebSocketRoute(self.path, self._serve_socket, name=self.name)
        if self.shape == "socket":
            return [socket]
        http = Route(self.path, self._serve, methods=[self.method], name=self.name)
        return [http, socket] if self.is_streamed else [http]

    async def _serve(self, request: Request) -> Response:
        try:
            return await self._answer(request)
        except ClientDisconnect:
            return _Nothing()

    async def _answer(self, request: Request) -> Response:
        async with audited(request, self.name, changes=self.changes):
            require(request, self.access)
            check(request.query_params, self.query)
            self._expect(request)
            request.scope[FIELDS] = frozenset(getattr(self.answer, "__annotations__", ()))
            # Before the thing is read: a version that is too old is refused, and one too new would lose a change.
            version = await self._version(request)
            response: Response = await self.do(request)
            request.scope.pop(SEEN, None)  # a stream is open for long, and a state is large
            if version:
                response.headers["etag"] = f'"{version}"'
            if self.changes:
                await ended(request, response)
        return response

    async def _version(self, request: Request) -> str:
        if self.versioned is None or self.changes:
            return ""
        return version(await state_of(request), self.versioned.kind, self._key(self.versioned, request))

    def _key(self, versioned: Versioned, request: Request) -> str:
        return versioned.key.format(**request.path_params)

    async def _serve_socket(self, websocket: WebSocket) -> None:
        try:
            async with audited(websocket, self.name, changes=self.changes):
                require(websocket, self.access)
                check(websocket.query_params, self.query)
                if self.shape == "socket":
                    await ended(websocket, await self.do(websocket))
                    return
                response = await self.do(websocket)
        except Exception as error:  # noqa: BLE001 - the edge: Starlette's handlers are for HTTP alone
            await websocket.send_denial_response(as_problem(error).response())
            return
        if isinstance(response, Lines):
            await serve_socket(response, websocket)
        else:
            problem = Problem("invalid", "over a WebSocket this is a stream: say follow=1")
            await websocket.send_denial_response(problem.response())

    def _expect(self, request: Request) -> None:
        if not self.changes:
            return
        if "if-none-match" in request.headers:
            text = "no change is made on the condition of another version: leave out If-None-Match, or say If-Match"
            raise Problem("invalid", text)
        given = request.headers.getlist("if-match")
        if not given:
            return
        if self.versioned is None:
            text = f"{self.method} {self.path} changes nothing that has a version: leave out If-Match"
            raise Problem("invalid", text)
        tags = ", ".join(given)
        tag = TAG.fullmatch(tags)
        if tag is None:
            raise Problem("invalid", f"If-Match is one version in quotes, as ETag told it, or *, and not {tags[:40]}")
        key = self._key(self.versioned, request)
        request.scope[EXPECTED] = Expected(self.versioned.kind, key, tag[1] or ANY)


class _Nothing(Response):
    """No answer: who asked left within the body, and nobody hears it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        return


LISTED = (
    Query(
        "filter",
        "`field=value` or `field!=value` of a row, as `status=ready`; of several all must hold",
        many=True,
        longest=1024,
    ),
    Query("selector", "of labels, as `tier=web,env!=test,zone in (a,b),!old`", longest=1024),
    Query("sort", "fields to sort by, as `status,-since`; `-` is downwards"),
    Query("limit", "so many rows at most; `continue` of the answer is where the next page begins", "whole"),
    Query("continue", "the `continue` of the page before", longest=LIST),
)
"""What every list takes."""


def listed(path: str, do: Handler, row: Any, *query: Query, access: Access = "viewer") -> Endpoint:
    """A list of rows, with all that lists take."""
    return Endpoint("GET", path, do, row, "list", access, query=(*query, *LISTED))


def read(
    path: str, do: Handler, answer: Any, *query: Query, access: Access = "viewer", versioned: Versioned | None = None
) -> Endpoint:
    """One thing."""
    return Endpoint("GET", path, do, answer, "one", access, query=query, versioned=versioned)


def write(
    method: str,
    path: str,
    do: Handler,
    answer: Any,
    *query: Query,
    body: Any = None,
    status: int = 200,
    access: Access = "operator",
    versioned: Versioned | None = None,
) -> Endpoint:
    """A change."""
    return Endpoint(method, path, do, answer, "one", access, True, body, status, query, versioned)


def ask(method: str, path: str, do: Handler, answer: Any, *, body: Any = None, access: Access = "operator") -> Endpoint:
    """A question that needs a body, and changes nothing."""
    return Endpoint(method, path, do, answer, "one", access, False, body)


def streamed(path: str, do: Handler, line: Any, *query: Query, access: Access = "viewer") -> Endpoint:
    """A stream of lines that is only read."""
    return Endpoint("GET", path, do, line, "lines", access, query=query)


def feed(path: str, do: Handler, event: Any, *query: Query) -> Endpoint:
    """Events that may be followed."""
    return Endpoint("GET", path, do, event, "feed", query=query)


def streaming_write(method: str, path: str, do: Handler, line: Any, *query: Query, body: Any) -> Endpoint:
    """A change that tells how it goes, line by line."""
    return replace(write(method, path, do, line, *query, body=body), shape="lines")


def socket(path: str, do: Handler, *, body: Any, access: Access = "operator") -> Endpoint:
    """Something that is done over a WebSocket, with words both ways."""
    return Endpoint("GET", path, do, None, "socket", access, True, body)
