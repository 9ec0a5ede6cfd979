"""The metrics as a WSGI application, in the format that the scraper asks for."""

from prometheus_client import make_wsgi_app

from reconciler.metrics.collector import SnapshotCollector, registry
from reconciler.metrics.server import App


def metrics_app(collector: SnapshotCollector) -> App:
    """Return the application that shows what the collector has."""
    app: App = make_wsgi_app(registry(collector))
    return app
