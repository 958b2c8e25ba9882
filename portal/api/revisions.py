"""`/v1/stacks/{name}/revisions`: what a stack said at its last deploys, its files as written, and the way back."""

from __future__ import annotations

from typing import TypeVar

import orjson
from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from actors.keyring import Unopened
from actors.protocol import DeployStack, Refused
from cluster.decide import history
from cluster.decide.decision import Refusal
from cluster.model import StackRevision, State
from cluster.sources import Origin, Sources, objection
from portal.api.problems import Problem, missing, refusal
from portal.api.requests import answer, backend_of, caller_of, change, flag, key_of, listing, state_of, whole
from portal.rows import revision_row

T = TypeVar("T")

_SOURCES = TypeAdapter(Sources)


async def sealed(request: Request, stack: str, sources: Sources) -> str:
    """Sources as they are kept: the newest revision's own text where it has the same, so that nothing changes by it."""
    if not sources.files:
        return ""
    if why := objection(sources):
        raise Problem("invalid", why)
    backend, text = backend_of(request), orjson.dumps(sources, option=orjson.OPT_SORT_KEYS).decode()
    for revision in history.history_of(await state_of(request), stack)[-1:]:
        try:
            if revision.sources and backend.vault.unlock(_place(stack), revision.sources) == text:
                return revision.sources
        except Unopened:
            break  # by an authority that is no more: these take their place
    return backend.vault.lock(_place(stack), text)


async def index(request: Request) -> Response:
    """A stack's revisions that are kept, newest first."""
    state, name = await state_of(request), request.path_params["name"]
    kept = history.history_of(state, _known(state, name))
    newest = kept[-1].number if kept else 0
    return listing([revision_row(one, newest) for one in reversed(kept)], state.revision)


async def show(request: Request) -> Response:
    """One revision, with its spec."""
    state, revision = await _revision(request)
    newest = history.history_of(state, revision.stack)[-1].number
    return answer({**revision_row(revision, newest), "spec": revision.spec})


async def sources(request: Request) -> Response:
    """The files of a revision, and the variables that they name; their values where `values=1` asks for them."""
    _, revision = await _revision(request)
    if not revision.sources:
        raise Problem("not_found", f"revision {revision.number} of {revision.stack} came without its files")
    try:
        text = backend_of(request).vault.unlock(_place(revision.stack), revision.sources)
    except Unopened as error:
        raise Problem("conflict", str(error)) from error
    kept = _SOURCES.validate_json(text)
    shown = flag(request, "values")
    variables = {name: value if shown else None for name, value in kept.variables.items()}
    return answer({"files": kept.files, "variables": variables})


async def rollback(request: Request) -> Response:
    """Make a stack be as one of its revisions says (`revision=`), else as the last one that said another thing."""
    state, name = await state_of(request), request.path_params["name"]
    found = _expected(history.find(state, _known(state, name), whole(request.query_params, "revision")))
    origin = Origin(await caller_of(request), found.sources)
    return await change(request, DeployStack(found.spec, (), key_of(request), prune=True, origin=origin))


async def _revision(request: Request) -> tuple[State, StackRevision]:
    state, name = await state_of(request), request.path_params["name"]
    return state, _expected(history.find(state, _known(state, name), whole(request.path_params, "number", 0)))


def _known(state: State, name: str) -> str:
    if name not in state.stacks:
        raise missing("stack", name, state.stacks, "gbnt stack ls")
    return name


def _expected(found: T | Refusal) -> T:
    if isinstance(found, Refusal):
        raise refusal(Refused(found.code, found.message))
    return found


def _place(stack: str) -> str:
    return f"sources of stack {stack}"


ALL = "/v1/stacks/{name}/revisions"
ROUTES = (
    Route(ALL, index),
    Route(ALL + "/{number}", show),
    Route(ALL + "/{number}/sources", sources),
    Route("/v1/stacks/{name}/rollback", rollback, methods=["POST"]),
)
