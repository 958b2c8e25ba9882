"""`/v1/services`: look at one service, scale it, roll it over, hold it, remove it, read its output."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from starlette.requests import Request
from starlette.responses import Response

from actors.protocol import Accepted, HoldService, RemoveService, ScaleService, UpdateService
from cluster.explaining import explain_service
from cluster.model import Service, State
from cluster.spec import StackSpec
from portal.api.bodies import body_of
from portal.api.cluster import OF_STACK
from portal.api.discretion import shown
from portal.api.endpoint import Versioned, listed, read, streamed, write
from portal.api.log_reader import LOGS, LogQuery, Selection
from portal.api.logs import stream_logs
from portal.api.problems import Problem, missing
from portal.api.requests import answer, backend_of, change, command, key_of, listing, state_of
from portal.part_rows import PlacementShown, placement_row
from portal.pins import pin
from portal.rows import service_row
from portal.shapes import Changed, LogRow, ServiceRow, ServiceShown


@dataclass(frozen=True, slots=True)
class Scale:
    """The body of a scale."""

    replicas: int


@dataclass(frozen=True, slots=True)
class Update:
    """The body of an update."""

    image: str = ""
    force: bool = False


async def index(request: Request) -> Response:
    """The services of all stacks, or of `stack`."""
    state, stack = await state_of(request), request.query_params.get("stack", "")
    chosen = [one for one in state.services.values() if stack in ("", one.stack)]
    return listing(request, [service_row(state, one) for one in chosen], state.revision)


async def show(request: Request) -> Response:
    """One service, with its spec, which viewers see without values of environments, build arguments and options."""
    state = await state_of(request)
    service = _service(state, _key(request))
    return answer({**service_row(state, service), "spec": shown(request, service.spec)})


async def placement(request: Request) -> Response:
    """Where another task of a service could go, and where not, by machine."""
    state = await state_of(request)
    return answer(placement_row(explain_service(state, _service(state, _key(request)))))


async def scale(request: Request) -> Response:
    """Run so many replicas."""
    body = await body_of(request, Scale)
    return await change(request, ScaleService(_key(request), body.replicas, key_of(request)))


async def update(request: Request) -> Response:
    """Roll over to another image, or by `force` to new containers."""
    body = await body_of(request, Update)
    if not body.image and not body.force:
        raise Problem("invalid", 'an update needs an "image", or "force" to replace the containers as they are')
    wanted = UpdateService(_key(request), image=body.image, force=body.force, request=key_of(request))
    warnings: tuple[str, ...] = ()
    if body.image:
        state = await state_of(request)
        service = _service(state, wanted.service)
        turned = replace(service.spec, image=body.image, image_id="")
        found = await pin(backend_of(request), state, StackSpec(service.stack, {service.name: turned}), "always", {})
        wanted, warnings = replace(wanted, digest=found.spec.services[service.name].digest), found.warnings
    accepted = await command(request, "senate", wanted, Accepted)
    return answer({**asdict(accepted), "warnings": warnings})


async def restart(request: Request) -> Response:
    """Replace all containers by new ones of the same spec."""
    return await change(request, UpdateService(_key(request), force=True, request=key_of(request)))


async def stop(request: Request) -> Response:
    """Keep the service down."""
    return await change(request, HoldService(_key(request), True, key_of(request)))


async def start(request: Request) -> Response:
    """Let the service run again."""
    return await change(request, HoldService(_key(request), False, key_of(request)))


async def remove(request: Request) -> Response:
    """Remove the service from its stack."""
    return await change(request, RemoveService(_key(request), key_of(request)))


async def logs(request: Request) -> Response:
    """The output of all the service's tasks, in the order of time."""
    state, key = await state_of(request), _key(request)
    _service(state, key)

    def all_of_it(state: State) -> Selection:
        return Selection(state.tasks_of(key), lasting=key in state.services)

    return stream_logs(backend_of(request), state, all_of_it, LogQuery.of(request))


def _key(request: Request) -> str:
    return f"{request.path_params['stack']}/{request.path_params['service']}"


def _service(state: State, key: str) -> Service:
    if key not in state.services:
        raise missing("service", key, state.services, "gbnt service ls")
    return state.services[key]


ONE = "/v1/services/{stack}/{service}"

SERVICE = Versioned("service", "{stack}/{service}")
ENDPOINTS = (
    listed("/v1/services", index, ServiceRow, OF_STACK),
    read(ONE, show, ServiceShown, versioned=SERVICE),
    write("DELETE", ONE, remove, Changed, versioned=SERVICE),
    streamed(f"{ONE}/logs", logs, LogRow, *LOGS),
    read(f"{ONE}/placement", placement, PlacementShown),
    write("POST", f"{ONE}/scale", scale, Changed, body=Scale, versioned=SERVICE),
    write("POST", f"{ONE}/update", update, Changed, body=Update, versioned=SERVICE),
    *(write("POST", f"{ONE}/{do.__name__}", do, Changed, versioned=SERVICE) for do in (restart, stop, start)),
)
