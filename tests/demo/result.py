"""How the scenes went, and how that is told. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.demo.metrics import Move
from tests.lab import Outage

_PREFIX = "reconciler_"


@dataclass(frozen=True, slots=True)
class Done:
    """An act that came to its end: seconds until what had to come of it, and seconds without the page."""

    took: float
    away: float


@dataclass(frozen=True, slots=True)
class Result:
    """How a scene went.

    Attributes:
        number: Its number.
        title: What it was about.
        acts: Its acts, as far as it came.
        tells: The metric that tells most of it, if any moved.
        faults: What was not as it must be; empty if it went well.
        is_last: Whether it left no stage for the next scene: the service is elsewhere, or an agent has ended.
    """

    number: int
    title: str
    acts: tuple[Done, ...]
    tells: Move | None
    faults: tuple[str, ...]
    is_last: bool = False


def time_away(outages: Sequence[Outage], start: float, end: float) -> float:
    """Seconds without the page, of all outages that began between the two moments."""
    return sum(outage.duration for outage in outages if start <= outage.start < end)


def seconds(time: float) -> str:
    """A time as people say it."""
    return f"{time:.1f} s" if time < 100 else f"{time / 60:.1f} min"


def table(results: Sequence[Result]) -> list[str]:
    """All scenes, one line each and a line for each fault, under a heading."""
    rows: list[tuple[str, ...]] = [("", "scene", "took", "page away", "what the metrics say", "")]
    rows += [_row(result) for result in results]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    for index, result in reversed(list(enumerate(results))):
        lines[index + 2 : index + 2] = [f"{'':{widths[0]}}  ! {fault}" for fault in result.faults]
    return lines


def _row(result: Result) -> tuple[str, ...]:
    return (
        str(result.number),
        result.title,
        ", ".join(seconds(act.took) for act in result.acts),
        ", ".join(seconds(act.away) for act in result.acts) if any(act.away for act in result.acts) else "never",
        _short(result.tells) if result.tells else "",
        "FAILED" if result.faults else "ok",
    )


def _short(move: Move) -> str:
    return f"{move.series.name.removeprefix(_PREFIX)} {move.course}"
