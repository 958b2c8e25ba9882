"""The public door: `/health` for load balancers and container engines, `/metrics` for Prometheus. No secrets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import orjson
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from actors.protocol import GetState
from cluster.model import State
from portal.backend import Backend, Check
from portal.latency import Latency
from supervisor.errors import ActorError
from supervisor.inspection import ActorInfo

TIMEOUT = 2.0


def create_telemetry(backend: Backend) -> Starlette:
    """The application that tells how `backend` is."""

    async def health(request: Request) -> Response:
        state = await _state(backend)
        checks = await _checks(backend, state)
        status = _status(backend, state, checks)
        shown = {name: {"ok": check.ok, "detail": check.detail} for name, check in checks.items()}
        code = 200 if status == "ok" else 503
        return Response(orjson.dumps({"status": status, "checks": shown}), code, media_type="application/json")

    async def metrics(request: Request) -> Response:
        families = [
            *_cluster(await _state(backend) or State()),
            *_actors(backend.inspect("")),
            *_dead_letters(backend.dead_letters()),
            *_latencies(backend.latencies),
        ]
        return Response(generate_latest(_Scrape(families)), media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[Route("/health", health), Route("/metrics", metrics)])


async def _state(backend: Backend) -> State | None:
    try:
        state = await backend.ask("senate", GetState(), TIMEOUT)
    except ActorError:
        return None
    return state if isinstance(state, State) else None


async def _checks(backend: Backend, state: State | None) -> dict[str, Check]:
    answered = Check(state is not None, "answers" if state is not None else "does not answer")
    checks = {"senate": answered, "engine": _engine(backend, state)}
    return checks | {name: await check() for name, check in backend.checks.items()}


def _engine(backend: Backend, state: State | None) -> Check:
    node = state.nodes.get(backend.identity.node) if state is not None else None
    if node is None:
        return Check(False, "not heard of yet")
    return Check(node.status == "ready", node.message or node.status)


def _status(backend: Backend, state: State | None, checks: Mapping[str, Check]) -> str:
    """`starting` until this node has registered; then `degraded` while any check fails."""
    if all(check.ok for check in checks.values()):
        return "ok"
    return "starting" if state is None or backend.identity.node not in state.nodes else "degraded"


def _cluster(state: State) -> Iterable[Metric]:
    nodes = GaugeMetricFamily("gbnt_nodes", "Machines by status.", labels=["status"])
    for status, number in Counter(node.status for node in state.nodes.values()).items():
        nodes.add_metric([status], number)
    tasks = GaugeMetricFamily("gbnt_tasks", "Tasks by state.", labels=["state"])
    for name, number in Counter(task.state for task in state.tasks.values()).items():
        tasks.add_metric([name], number)
    yield nodes
    yield GaugeMetricFamily("gbnt_services", "Services.", value=len(state.services))
    yield tasks
    yield GaugeMetricFamily("gbnt_revision", "The cluster's revision.", value=state.revision)


def _actors(tree: Sequence[ActorInfo]) -> Iterable[Metric]:
    restarts, waiting = Counter[str](), Counter[str]()
    for info in tree:
        restarts[info.kind] += info.restarts
        waiting[info.kind] += info.mailbox
    counted = CounterMetricFamily("gbnt_actor_restarts", "Restarts of the actors that live.", labels=["kind"])
    depth = GaugeMetricFamily("gbnt_mailbox_depth", "Messages that wait in mailboxes.", labels=["kind"])
    for kind in sorted(restarts):
        counted.add_metric([kind], restarts[kind])
        depth.add_metric([kind], waiting[kind])
    return counted, depth


def _dead_letters(by_reason: Mapping[str, int]) -> Iterable[Metric]:
    letters = CounterMetricFamily("gbnt_dead_letters", "Messages that reached nobody.", labels=["reason"])
    for reason, number in by_reason.items():
        letters.add_metric([reason], number)
    return (letters,)


def _latencies(latencies: Iterable[Latency]) -> Iterable[Metric]:
    for latency in latencies:
        yield HistogramMetricFamily(latency.name, latency.help, buckets=latency.buckets(), sum_value=latency.total)


class _Scrape(Collector):
    """One scrape's figures: they are gathered when asked for, and kept nowhere."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families
