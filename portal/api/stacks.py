"""`/v1/stacks`: deploy, look at, hold and remove whole compose files."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from actors.protocol import Accepted, DeployStack, HoldStack, Refused, RemoveStack
from cluster.decide import history, planning
from cluster.decide.decision import Entropy, Refusal
from cluster.decide.deploy import deploy as decide
from cluster.model import Stack, State
from cluster.pinning import Resolve
from cluster.registries import registry_named
from cluster.sources import Origin, Sources
from cluster.spec import StackSpec
from portal.api.access import author_of
from portal.api.bodies import LARGE, body_of
from portal.api.discretion import shown
from portal.api.endpoint import LIST, Query, Versioned, ask, listed, read, streamed, write
from portal.api.lines import Lines
from portal.api.problems import missing, refusal
from portal.api.progress import follow_stack
from portal.api.registries import Login, credential
from portal.api.requests import answer, backend_of, change, command, key_of, listing, state_of, whole
from portal.api.revisions import sealed
from portal.api.specs import check_machines, check_name, check_spec
from portal.pins import Pinned, pin
from portal.plan_rows import PlanShown, plan_row
from portal.rows import stack_row
from portal.shapes import Changed, StackProgress, StackRow, StackShown


@dataclass(frozen=True, slots=True)
class Deployment:
    """The body of a deploy. `registries` are sign-ins, by registry, to pull its images with.

    `ahead`: of a machine that is to come, for none that is there could have its tasks. `prune` removes the services
    that the spec has no more, which are kept else; those `aside` are kept all the same, for the files have them.
    `sources` are what the spec was made from: nothing is read from them here, they are kept to be shown. `here` are the
    paths of binds that were written relative to these, and are there on the machine that they came from.
    """

    spec: StackSpec
    resolve: Resolve = "always"
    prune: bool = False
    sources: Sources = field(default_factory=Sources, repr=False)
    registries: Mapping[str, Login] = field(default_factory=dict, repr=False)
    ahead: bool = False
    here: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()


async def index(request: Request) -> Response:
    """The stacks, by name."""
    state = await state_of(request)
    return listing(request, [stack_row(state, stack) for stack in state.stacks.values()], state.revision)


async def show(request: Request) -> Response:
    """One stack, with its spec, which viewers see without values of environments, build arguments and options."""
    state = await state_of(request)
    stack = _stack(state, request.path_params["name"])
    return answer({**stack_row(state, stack), "spec": shown(request, stack.spec)})


async def deploy(request: Request) -> Response:
    """Make a stack be as the body's spec says."""
    name, deployment = await _wanted(request)
    state = await state_of(request)
    warnings = await check_machines(request, state, deployment.spec, deployment.here)
    found = await _pinned(request, state, deployment.spec, deployment)
    known = next((one.sources for one in reversed(history.history_of(state, name))), "")
    origin = Origin(author_of(request), sealed(request, name, deployment.sources, known))
    terms = (deployment.ahead, deployment.prune, origin, deployment.aside)
    order = DeployStack(found.spec, found.logins, key_of(request), *terms)
    accepted = await command(request, "senate", order, Accepted)
    return answer({**asdict(accepted), "warnings": [*warnings, *found.warnings]})


async def plan(request: Request) -> Response:
    """What the same deploy would do now: nothing is changed by asking."""
    name, deployment = await _wanted(request)
    state = await state_of(request)
    warnings = await check_machines(request, state, deployment.spec, deployment.here)
    found = await _pinned(request, state, planning.as_built(state, deployment.spec), deployment)
    entropy = Entropy(backend_of(request).clock(), map("planned-{}".format, itertools.count()).__next__)
    ahead, prune, aside = deployment.ahead, deployment.prune, deployment.aside
    decided = decide(state, found.spec, entropy, ahead=ahead, prune=prune, aside=aside)
    if isinstance(decided, Refusal):
        raise refusal(Refused(decided.code, decided.message, decided.problems))
    planned = planning.plan(state, name, decided, entropy)
    return answer(plan_row(planned, [*warnings, *found.warnings]))


async def _wanted(request: Request) -> tuple[str, Deployment]:
    name, deployment = request.path_params["name"], await body_of(request, Deployment, LARGE)
    check_name(name, deployment.spec)
    check_spec(deployment.spec)
    return name, deployment


async def _pinned(request: Request, state: State, spec: StackSpec, deployment: Deployment) -> Pinned:
    brought = {registry_named(name): credential(login) for name, login in deployment.registries.items()}
    return await pin(backend_of(request), state, spec, deployment.resolve, brought)


async def remove(request: Request) -> Response:
    """Begin to remove a stack, with the `volumes` named."""
    volumes = tuple(name for name in request.query_params.get("volumes", "").split(",") if name)
    return await change(request, RemoveStack(request.path_params["name"], volumes, key_of(request)), 202)


async def stop(request: Request) -> Response:
    """Keep all of a stack's services down."""
    return await change(request, HoldStack(request.path_params["name"], True, key_of(request)))


async def start(request: Request) -> Response:
    """Let all of a stack's services run again."""
    return await change(request, HoldStack(request.path_params["name"], False, key_of(request)))


async def progress(request: Request) -> Response:
    """What becomes of a stack after a revision, until its verdict."""
    backend, name = backend_of(request), request.path_params["name"]
    after = whole(request.query_params, "after", 0) or 0
    return Lines(lambda emit: follow_stack(backend, name, after, emit))


def _stack(state: State, name: str) -> Stack:
    if name not in state.stacks:
        raise missing("stack", name, state.stacks, "gbnt stack ls")
    return state.stacks[name]


ONE = "/v1/stacks/{name}"
AFTER = Query("after", "look at no state before this revision", "whole")
STACK = Versioned("stack", "{name}")
ENDPOINTS = (
    listed("/v1/stacks", index, StackRow),
    read(ONE, show, StackShown, versioned=STACK),
    write("PUT", ONE, deploy, Changed, body=Deployment, versioned=STACK),
    write(
        "DELETE",
        ONE,
        remove,
        Changed,
        Query("volumes", "names of volumes of it that go with it, with commas between them", longest=LIST),
        status=202,
        versioned=STACK,
    ),
    ask("POST", f"{ONE}/plan", plan, PlanShown, body=Deployment),
    write("POST", f"{ONE}/stop", stop, Changed, versioned=STACK),
    write("POST", f"{ONE}/start", start, Changed, versioned=STACK),
    streamed(f"{ONE}/progress", progress, StackProgress, AFTER),
)
