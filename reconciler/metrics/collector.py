"""One collector over the last snapshot: a scrape reads memory, starts nothing and waits for nobody."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from reconciler.metrics import agent_samples, cluster_samples, corosync_samples
from reconciler.metrics.catalogue import CATALOGUE, DURATION_BUCKETS, PREFIX, Type
from reconciler.metrics.samples import Sample
from reconciler.metrics.snapshot import Durations, MetricsSnapshot

STALE_PERIODS = 3
"""After how many periods of the loop without a pass nothing is said about the cluster any more."""


class SnapshotCollector(Collector):
    """Shows the snapshot that was published last; before the first one, nothing.

    `publish` may be called from any thread at any time: a scrape that is under way goes on with the snapshot it began
    with. `period` is how often the loop passes at least, in seconds; `clock` gives Unix seconds.
    """

    def __init__(self, period: float, clock: Callable[[], float] = time.time) -> None:
        self._period = period
        self._clock = clock
        self._snapshot: MetricsSnapshot | None = None

    def publish(self, snapshot: MetricsSnapshot) -> None:
        """Show this from now on."""
        self._snapshot = snapshot

    def fresh(self) -> bool:
        """Say whether the snapshot is new enough to speak of the cluster."""
        snapshot = self._snapshot
        return snapshot is not None and self._is_fresh(snapshot)

    def _is_fresh(self, snapshot: MetricsSnapshot) -> bool:
        return self._clock() - snapshot.at <= STALE_PERIODS * self._period

    def describe(self) -> Iterable[Metric]:
        """Describe nothing, so that registering does not collect."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield all families that have samples."""
        snapshot = self._snapshot
        if snapshot is None:
            return
        yield from _families(_samples(snapshot, fresh=self._is_fresh(snapshot)))
        yield _histogram(snapshot.loop.durations)


def registry(collector: SnapshotCollector) -> CollectorRegistry:
    """Return a registry with nothing in it but the collector."""
    made = CollectorRegistry(auto_describe=False)
    made.register(collector)
    return made


def _samples(snapshot: MetricsSnapshot, *, fresh: bool) -> Iterator[Sample]:
    yield from agent_samples.samples(snapshot)
    if fresh:
        yield from cluster_samples.samples(snapshot)
        yield from corosync_samples.samples(snapshot)


def _families(samples: Iterable[Sample]) -> Iterator[Metric]:
    """Group samples, in any order, into families in the order of the catalogue."""
    by_metric: dict[str, list[tuple[Mapping[str, str], float]]] = {}
    for name, labels, value in samples:
        by_metric.setdefault(name, []).append((labels, value))
    for metric in CATALOGUE.values():
        found = by_metric.get(metric.name)
        if found is None:
            continue
        family = CounterMetricFamily if metric.type is Type.COUNTER else GaugeMetricFamily
        made: Metric = family(metric.name, metric.help)
        for labels, value in found:
            made.add_sample(metric.name, dict(labels), value)
        yield made


def _histogram(durations: Durations) -> Metric:
    metric = CATALOGUE[f"{PREFIX}reconcile_duration_seconds"]
    bounds = [*map(str, DURATION_BUCKETS), "+Inf"]
    cumulative = [sum(durations.counts[: index + 1]) for index in range(len(bounds))]
    made = HistogramMetricFamily(metric.name, metric.help)
    made.add_metric([], list(zip(bounds, map(float, cumulative), strict=True)), durations.total)
    return made
