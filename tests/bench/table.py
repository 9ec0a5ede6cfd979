"""Figures and the bounds that they are held against."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement: what, how much, in which unit, and the most (or with `least` the least) that it should be."""

    what: str
    value: float
    unit: str
    bound: float
    least: bool = False
    detail: str = ""

    @property
    def good(self) -> bool:
        """True if the figure is within its bound."""
        return self.value >= self.bound if self.least else self.value <= self.bound


def median(action: Callable[[], object], times: int) -> float:
    """Return the median seconds of an action, after one run that does not count."""
    action()
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        action()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def alternating(first: Callable[[], object], second: Callable[[], object], times: int) -> tuple[float, float]:
    """Return the medians of two actions that take turns, so that a noisy moment hits both."""
    first()
    second()
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(times):
        for action, seconds in zip((first, second), taken, strict=True):
            begun = time.perf_counter()
            action()
            seconds.append(time.perf_counter() - begun)
    return statistics.median(taken[0]), statistics.median(taken[1])


def render(figures: list[Figure]) -> str:
    """Return the table."""
    width = max(len(figure.what) for figure in figures)
    lines = []
    for figure in figures:
        sign = ">=" if figure.least else "<="
        verdict = "ok" if figure.good else "MISSED"
        value = f"{figure.value:9.2f} {figure.unit:5} {sign} {figure.bound:g}"
        lines.append(f"{figure.what:{width}}  {value:28}  {verdict:6}  {figure.detail}".rstrip())
    return "\n".join(lines)
