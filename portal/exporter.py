"""A node's meters in OpenTelemetry, read by Prometheus: the only module that knows either, loaded when needed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from platform import python_version

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.sdk.environment_variables import OTEL_SDK_DISABLED
from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, MeterProvider
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from portal.metrics import FIGURES, TIMINGS, Figure, Rows, Sight

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@contextmanager
def _switched_on() -> Iterator[None]:
    """The variable that switches OpenTelemetry off is for what sends figures away: it would empty `/metrics`."""
    switch = os.environ.pop(OTEL_SDK_DISABLED, None)
    try:
        yield
    finally:
        if switch is not None:
            os.environ[OTEL_SDK_DISABLED] = switch


class Exporter:
    """The meters of a node that runs this `version`; the process's own figures are prometheus-client's.

    Nothing of the machine, nor of the environment, becomes a label: no resource, no scope, no exemplar.
    """

    def __init__(self, version: str) -> None:
        self._sight = Sight(None, (), {})
        self._registry = CollectorRegistry()
        reader = PrometheusMetricReader(disable_target_info=True, scope_info_enabled=False, registry=self._registry)
        with _switched_on():
            provider = MeterProvider(
                [reader], Resource({}), exemplar_filter=AlwaysOffExemplarFilter(), shutdown_on_exit=False
            )
        meter = provider.get_meter("gbnt", version)
        self._histograms = {
            name: meter.create_histogram(timing.name, "s", timing.help, explicit_bucket_boundaries_advisory=BOUNDS)
            for name, timing in TIMINGS.items()
        }
        for figure in FIGURES:
            self._observed(meter, figure)
        ran = {"version": version, "python": python_version()}
        built = Figure("gbnt.build_info", "", "1: what this node runs.", lambda sight: [(ran, 1)])
        self._observed(meter, built)
        ProcessCollector(registry=self._registry)

    def observe(self, name: str, seconds: float, labels: Mapping[str, str]) -> None:
        """Count one more duration."""
        self._histograms[name].record(seconds, labels)

    def exposition(self, sight: Sight) -> Response:
        """All figures in the text format of Prometheus, those of `sight` among them."""
        self._sight = sight
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)

    def _observed(self, meter: Meter, figure: Figure) -> None:
        create = meter.create_observable_counter if figure.counts else meter.create_observable_gauge
        create(figure.name, [self._callback(figure.rows)], figure.unit, figure.help)

    def _callback(self, rows: Callable[[Sight], Rows]) -> Callable[[CallbackOptions], Iterable[Observation]]:
        return lambda options: [Observation(value, labels) for labels, value in rows(self._sight)]
