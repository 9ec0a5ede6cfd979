"""A sample: a metric's name, its labels, its value. Pure."""

from collections.abc import Iterator, Mapping

from reconciler.metrics.catalogue import PREFIX

Sample = tuple[str, Mapping[str, str], float]


def sample(name: str, value: float, /, **labels: str) -> Sample:
    """Make a sample of the metric with that name, given without the prefix."""
    return PREFIX + name, labels, float(value)


def known(name: str, value: float | None, **labels: str) -> Iterator[Sample]:
    """Yield a sample, or nothing if the value is unknown."""
    if value is not None:
        yield sample(name, value, **labels)
