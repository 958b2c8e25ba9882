"""`/v1/stacks/{name}/revisions`: what a stack said at its last deploys, its files as written, and the way back."""

from __future__ import annotations

from dataclasses import asdict
from typing import TypeVar

import orjson
from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response

from actors.keyring import Unopened
from actors.protocol import Accepted, Refused, RollBack
from cluster.decide import history
from cluster.decide.decision import Refusal
from cluster.model import State
from cluster.revisions import StackRevision
from cluster.sources import Sources, objection
from portal.api.access import author_of
from portal.api.discretion import shown
from portal.api.endpoint import Query, Versioned, listed, read, write
from portal.api.problems import Problem, missing, refusal
from portal.api.requests import answer, backend_of, command, flag, key_of, listing, state_of, whole
from portal.api.specs import check_machines
from portal.rows import revision_row
from portal.shapes import Changed, RevisionRow, RevisionShown, SourcesShown

T = TypeVar("T")

_SOURCES = TypeAdapter(Sources)


def sealed(request: Request, stack: str, sources: Sources, known: str) -> str:
    """Sources as they are kept: the very text that is `known` where that says the same, for then nothing changes."""
    if not sources.files:
        return ""
    if why := objection(sources):
        raise Problem("invalid", why)
    vault, text = backend_of(request).vault, orjson.dumps(sources, option=orjson.OPT_SORT_KEYS).decode()
    try:
        if known and vault.unlock(_place(stack), known) == text:
            return known
    except Unopened:
        pass  # by an authority that is no more: these take their place
    return vault.lock(_place(stack), text)


def opened(request: Request, stack: str, text: str, *, values: bool) -> SourcesShown:
    """Sealed sources as they are shown: values of variables are None unless they are asked for."""
    try:
        kept = _SOURCES.validate_json(backend_of(request).vault.unlock(_place(stack), text))
    except Unopened as error:
        raise Problem("conflict", str(error)) from error
    return {
        "files": [{"name": one.name, "text": one.text} for one in kept.files],
        "variables": {name: value if values else None for name, value in kept.variables.items()},
        "roots": kept.roots,
        "profiles": kept.profiles,
    }


async def index(request: Request) -> Response:
    """A stack's revisions that are kept, newest first."""
    state, name = await state_of(request), request.path_params["name"]
    kept = history.history_of(state, _known(state, name))
    newest = kept[-1].number if kept else 0
    return listing(request, [revision_row(one, newest) for one in kept], state.revision, ("-number",))


async def show(request: Request) -> Response:
    """One revision, with its spec, which viewers see without values of environments, build arguments and options."""
    state, revision = await _revision(request)
    newest = history.history_of(state, revision.stack)[-1].number
    return answer({**revision_row(revision, newest), "spec": shown(request, revision.spec)})


async def sources(request: Request) -> Response:
    """The files of a revision, and the variables that they name; their values where `values=1` asks for them."""
    _, revision = await _revision(request)
    if not revision.sources:
        raise Problem("not_found", f"revision {revision.number} of {revision.stack} came without its files")
    return answer(opened(request, revision.stack, revision.sources, values=flag(request, "values")))


async def rollback(request: Request) -> Response:
    """Make a stack be as one of its revisions says (`revision=`), else as the last before that said another thing.

    `newest=` is the newest one that the caller knows of: where there is another by now it is refused.
    """
    state = await state_of(request)
    name = _known(state, request.path_params["name"])
    number, newest = (whole(request.query_params, key) for key in ("revision", "newest"))
    found = history.find(state, name, number, newest)
    # What is not found is the Senate's to refuse: to a repeat of what was done it gives the answer of then.
    warnings = () if isinstance(found, Refusal) else await check_machines(request, state, found.spec)
    order = RollBack(name, number, newest, author_of(request), key_of(request))
    accepted = await command(request, "senate", order, Accepted)
    return answer({**asdict(accepted), "warnings": warnings})


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

VALUES = Query("values", "with the values of variables", "flag")
ENDPOINTS = (
    listed(ALL, index, RevisionRow),
    read(ALL + "/{number}", show, RevisionShown),
    read(ALL + "/{number}/sources", sources, SourcesShown, VALUES, access="operator"),
    write(
        "POST",
        "/v1/stacks/{name}/rollback",
        rollback,
        Changed,
        Query("revision", "the number of the one to go back to, else the last before that said another thing", "whole"),
        Query("newest", "the newest one that is known: where there is another by now it is refused", "whole"),
        versioned=Versioned("stack", "{name}"),
    ),
)
