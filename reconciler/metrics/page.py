"""The page /metrics: rendered once per pass by whoever publishes, so that a scrape only copies it."""

import time
from collections.abc import Callable, Iterable

from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from reconciler.metrics.collector import SnapshotCollector, registry
from reconciler.metrics.server import Environment, StartResponse
from reconciler.metrics.snapshot import MetricsSnapshot


class MetricsPage:
    """A WSGI application that shows the snapshot that was published last.

    On a cluster of 1000 resources there are 20000 series; putting them into text takes longer than a scrape should, and
    Prometheus and a person may ask at once. `period` and `clock` are the collector's.
    """

    def __init__(self, period: float, clock: Callable[[], float] = time.time) -> None:
        self._collector = SnapshotCollector(period, clock)
        self._registry = registry(self._collector)
        self._page = b""

    def publish(self, snapshot: MetricsSnapshot) -> None:
        """Show this from now on."""
        self._collector.publish(snapshot)
        self._page = generate_latest(self._registry)

    def __call__(self, environment: Environment, start: StartResponse) -> Iterable[bytes]:  # noqa: ARG002
        """Answer one request, in the text format whatever is asked for."""
        # A page that has become stale while nothing was published says less; that is worth a rendering
        body = self._page if self._collector.fresh() else generate_latest(self._registry)
        start("200 OK", [("Content-Type", CONTENT_TYPE_PLAIN_0_0_4), ("Content-Length", str(len(body)))])
        return [body]
