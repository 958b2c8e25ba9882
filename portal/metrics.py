"""The figures of a node in the text format of Prometheus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from cluster.model import State
from cluster.presence import alarm
from portal.backend import Backend
from portal.latency import Latency
from supervisor.inspection import ActorInfo

CONTENT_TYPE = CONTENT_TYPE_LATEST


def exposition(backend: Backend, state: State) -> bytes:
    """All figures as they are now."""
    families = [
        *_cluster(state),
        *_actors(backend.inspect("")),
        *_dead_letters(backend.dead_letters()),
        *_latencies(backend.latencies),
    ]
    return generate_latest(_Scrape(families))


def worker_exposition(tree: Sequence[ActorInfo], dead_letters: Mapping[str, int]) -> bytes:
    """The figures of a node that keeps no state."""
    return generate_latest(_Scrape([*_actors(tree), *_dead_letters(dead_letters)]))


def _cluster(state: State) -> Iterable[Metric]:
    nodes = GaugeMetricFamily("gbnt_nodes", "Machines by status.", labels=["status"])
    for status, number in Counter(node.status for node in state.nodes.values()).items():
        nodes.add_metric([status], number)
    tasks = GaugeMetricFamily("gbnt_tasks", "Tasks by state.", labels=["state"])
    for name, number in Counter(task.standing for task in state.tasks.values()).items():
        tasks.add_metric([name], number)
    yield nodes
    yield GaugeMetricFamily("gbnt_services", "Services.", value=len(state.services))
    yield tasks
    paused = float(bool(alarm(state.settings)))
    yield GaugeMetricFamily(
        "gbnt_replacement_paused", "1 while tasks of lost machines wait for a person.", value=paused
    )
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
