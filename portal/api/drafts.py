"""`/v1/stacks/{name}/draft`: what a person has not deployed yet."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from actors.protocol import DropDraft, SaveDraft
from cluster.sources import Origin, Sources
from cluster.spec import StackSpec
from portal.api.access import author_of
from portal.api.bodies import LARGE, body_of
from portal.api.endpoint import Versioned, read, write
from portal.api.problems import Problem
from portal.api.requests import answer, change, flag, key_of, state_of
from portal.api.revisions import VALUES, opened, sealed
from portal.api.specs import check_name, check_spec
from portal.shapes import Changed, DraftShown


@dataclass(frozen=True, slots=True)
class Writing:
    """The body of a draft. `refusals` say what keeps it from being deployed: its spec may be wrong then.

    `replaces` is the time, `at`, of the draft of somebody else that this takes the place of.
    """

    spec: StackSpec
    sources: Sources = field(default_factory=Sources, repr=False)
    refusals: tuple[str, ...] = ()
    replaces: float | None = None


async def show(request: Request) -> Response:
    """A stack's draft, with its files and, where `values=1` asks for them, the values of their variables."""
    name = request.path_params["name"]
    draft = (await state_of(request)).stack_drafts.get(name)
    if draft is None:
        raise Problem("not_found", f'stack "{name}" has no draft')
    files = opened(request, name, draft.sources, values=flag(request, "values")) if draft.sources else None
    told = {"stack": name, "at": draft.at, "by": draft.by, "refusals": draft.refusals}
    return answer({**told, "spec": draft.spec, "sources": files})


async def save(request: Request) -> Response:
    """Keep a draft; no container is touched by it."""
    name, writing = request.path_params["name"], await body_of(request, Writing, LARGE)
    check_name(name, writing.spec)
    if not writing.refusals:
        check_spec(writing.spec)
    known = (await state_of(request)).stack_drafts.get(name)
    origin = Origin(author_of(request), sealed(request, name, writing.sources, known.sources if known else ""))
    order = SaveDraft(writing.spec, origin, key_of(request), writing.refusals, writing.replaces)
    return await change(request, order)


async def drop(request: Request) -> Response:
    """Forget a draft."""
    return await change(request, DropDraft(request.path_params["name"], key_of(request)))


ONE = "/v1/stacks/{name}/draft"

DRAFT = Versioned("draft", "{name}")
ENDPOINTS = (
    read(ONE, show, DraftShown, VALUES, access="operator", versioned=DRAFT),
    write("PUT", ONE, save, Changed, body=Writing, versioned=DRAFT),
    write("DELETE", ONE, drop, Changed, versioned=DRAFT),
)
