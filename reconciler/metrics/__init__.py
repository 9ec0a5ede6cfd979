"""What Prometheus sees: failovers counted, the catalogue of metrics, one collector, one server."""
