"""What the agents' metrics say, and how that moved. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

Labels = tuple[tuple[str, str], ...]
Value = float | None
"""A sample; None where the agent answered without it."""


@dataclass(frozen=True, slots=True, order=True)
class Series:
    """One time series of one agent; labels sorted by name."""

    name: str
    labels: Labels = ()

    def __str__(self) -> str:
        inner = ",".join(f'{name}="{value}"' for name, value in self.labels)
        return f"{self.name}{{{inner}}}" if inner else self.name


Scrape = Mapping[Series, float]
Scrapes = Mapping[str, Scrape]
"""One scrape of every agent that answered, by node."""


def parse(text: str) -> Scrape:
    """Read the Prometheus text format.

    Raises:
        ValueError: It is something else.
    """
    return {
        Series(sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@dataclass(frozen=True, slots=True)
class Expected:
    """What a metric must have done; made by `rises` and `becomes`.

    Attributes:
        series: Its name and some of its labels; samples that differ only in others are added up.
        on: The node whose agent says so, empty: all agents together.
        by: By how much it rises, exactly.
        to: What it becomes, for every agent asked.
    """

    series: Series
    on: str
    by: float | None = None
    to: float | None = None

    def is_met(self, before: Scrapes, now: Scrapes) -> bool:
        """Whether that is so; an agent that does not answer now says nothing."""
        asked = [node for node in now if self.on in ("", node)]
        found = {node: self._sum(now[node]) for node in asked}
        if not found or None in found.values():
            return False
        if self.to is not None:
            return all(value == self.to for value in found.values())
        rise = sum((found[node] or 0) - (self._sum(before.get(node, {})) or 0) for node in asked)
        return rise == self.by

    def __str__(self) -> str:
        what = f"become {number(self.to)}" if self.to is not None else f"rise by {number(self.by)}"
        return f"{self.series}{f' on {self.on}' if self.on else ''} to {what}"

    def _sum(self, scrape: Scrape) -> Value:
        wanted = set(self.series.labels)
        values = [v for series, v in scrape.items() if series.name == self.series.name and wanted <= set(series.labels)]
        return sum(values) if values else None


def rises(metric: str, on: str = "", by: float = 1, **labels: str) -> Expected:
    """A counter goes up by exactly so much."""
    return Expected(Series(metric, tuple(sorted(labels.items()))), on, by=by)


def becomes(value: float, metric: str, on: str = "", **labels: str) -> Expected:
    """A gauge gets this value."""
    return Expected(Series(metric, tuple(sorted(labels.items()))), on, to=value)


@dataclass(frozen=True, slots=True)
class Move:
    """A series that moved.

    Attributes:
        series: Which.
        nodes: The agents that agree about it.
        values: What it was, one after the other, without repetitions.
    """

    series: Series
    nodes: tuple[str, ...]
    values: tuple[Value, ...]

    @property
    def course(self) -> str:
        """The values, as people read them."""
        return " → ".join(map(number, self.values))


def moves(history: Sequence[Scrapes], shown: Iterable[Series]) -> list[Move]:
    """What moved between the first scrapes and the last.

    Args:
        history: Scrapes, in the order of time. An agent that did not answer for a while is not missed.
        shown: Names, with the labels that a series must have to be looked at.
    """
    agents = sorted({node for scrapes in history for node in scrapes})
    by_meaning: dict[tuple[Series, tuple[Value, ...]], list[str]] = {}
    for node in agents:
        answered = [scrapes[node] for scrapes in history if node in scrapes]
        for series in sorted({series for scrape in answered for series in scrape}):
            if any(s.name == series.name and set(s.labels) <= set(series.labels) for s in shown):
                values = _without_repetitions([scrape.get(series) for scrape in answered])
                if len(values) > 1:
                    by_meaning.setdefault((series, values), []).append(node)
    return [Move(series, tuple(nodes), values) for (series, values), nodes in by_meaning.items()]


def _without_repetitions(values: Sequence[Value]) -> tuple[Value, ...]:
    return tuple(value for index, value in enumerate(values) if index == 0 or value != values[index - 1])


def number(value: Value) -> str:
    """A sample as people write it."""
    if value is None:
        return "absent"
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    return f"{value:g}"
