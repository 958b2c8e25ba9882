"""`/v1/stacks`: deploy, look at, hold and remove whole compose files."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from actors.protocol import Accepted, DeployStack, HoldStack, Refused, RemoveStack
from cluster.decide import history, planning
from cluster.decide.decision import Entropy, Refusal
from cluster.decide.deploy import deploy as decide
from cluster.decide.placeable import hopes
from cluster.headroom import cramped
from cluster.model import Stack, State
from cluster.pinning import Resolve
from cluster.registries import registry_named
from cluster.sources import Origin, Sources
from cluster.spec import StackSpec
from portal.api.bodies import body_of
from portal.api.lines import Lines
from portal.api.problems import Problem, missing, refusal
from portal.api.progress import follow_stack
from portal.api.registries import Login, credential
from portal.api.requests import answer, backend_of, caller_of, change, command, key_of, listing, state_of, whole
from portal.api.revisions import sealed
from portal.api.specs import check_spec
from portal.binds import look
from portal.pins import Pinned, pin
from portal.rows import stack_row


@dataclass(frozen=True, slots=True)
class Deployment:
    """The body of a deploy. `registries` are sign-ins, by registry, to pull its images with.

    `ahead`: of a machine that is to come, for none that is there could have its tasks. `prune` removes the services
    that the spec has no more, which are kept else. `sources` are what the spec was made from: nothing is read from
    them here, they are kept to be shown.
    """

    spec: StackSpec
    resolve: Resolve = "always"
    prune: bool = False
    sources: Sources = field(default_factory=Sources, repr=False)
    registries: Mapping[str, Login] = field(default_factory=dict, repr=False)
    ahead: bool = False


async def index(request: Request) -> Response:
    """The stacks, by name."""
    state = await state_of(request)
    ordered = sorted(state.stacks.values(), key=lambda stack: stack.name)
    return listing([stack_row(state, stack) for stack in ordered], state.revision)


async def show(request: Request) -> Response:
    """One stack, with its spec."""
    state = await state_of(request)
    stack = _stack(state, request.path_params["name"])
    return answer({**stack_row(state, stack), "spec": stack.spec})


async def deploy(request: Request) -> Response:
    """Make a stack be as the body's spec says."""
    name, deployment = await _wanted(request)
    state = await state_of(request)
    warnings = await _foreseen(request, state, deployment.spec)
    found = await _pinned(request, state, deployment.spec, deployment)
    known = next((one.sources for one in reversed(history.history_of(state, name))), "")
    origin = Origin(await caller_of(request), sealed(request, name, deployment.sources, known))
    order = DeployStack(found.spec, found.logins, key_of(request), deployment.ahead, deployment.prune, origin)
    accepted = await command(request, "senate", order, Accepted)
    return answer({**asdict(accepted), "warnings": [*warnings, *found.warnings]})


async def plan(request: Request) -> Response:
    """What the same deploy would do now: nothing is changed by asking."""
    name, deployment = await _wanted(request)
    state = await state_of(request)
    warnings = await _foreseen(request, state, deployment.spec)
    found = await _pinned(request, state, planning.as_built(state, deployment.spec), deployment)
    entropy = Entropy(backend_of(request).clock(), map("planned-{}".format, itertools.count()).__next__)
    decided = decide(state, found.spec, entropy, ahead=deployment.ahead, prune=deployment.prune)
    if isinstance(decided, Refusal):
        raise refusal(Refused(decided.code, decided.message))
    planned = planning.plan(state, name, decided, entropy)
    return answer({**asdict(planned), "changes": planned.changes, "warnings": [*warnings, *found.warnings]})


async def _wanted(request: Request) -> tuple[str, Deployment]:
    name, deployment = request.path_params["name"], await body_of(request, Deployment)
    check_spec(name, deployment.spec)
    return name, deployment


async def _foreseen(request: Request, state: State, spec: StackSpec) -> tuple[str, ...]:
    """What to warn of the machines; raises Problem where a path that is bound is not wherever a task may go."""
    judged = await look(backend_of(request), state, spec)
    if judged.problems:
        findings = [asdict(problem.finding()) for problem in judged.problems]
        raise Problem("conflict", f'the stack "{spec.name}" binds what is not there', findings=findings)
    return (*judged.warnings, *hopes(state, spec), *cramped(state, spec))


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


ROUTES = (
    Route("/v1/stacks", index),
    Route("/v1/stacks/{name}", show),
    Route("/v1/stacks/{name}", deploy, methods=["PUT"]),
    Route("/v1/stacks/{name}", remove, methods=["DELETE"]),
    Route("/v1/stacks/{name}/plan", plan, methods=["POST"]),
    Route("/v1/stacks/{name}/stop", stop, methods=["POST"]),
    Route("/v1/stacks/{name}/start", start, methods=["POST"]),
    Route("/v1/stacks/{name}/progress", progress),
)
