"""What a rule says, as a value: two rules that mean the same to Pacemaker are equal here as far as is cheap to know.

Covers every element that rule.rng, rule-2.9.rng, rule-3.4.rng, rule-3.5.rng and rule-3.9.rng allow in a ``rule``. The
constructors bring their arguments into canonical form, so an expression cannot be built in another. Meanings follow
``lib/pengine/rules.c`` of Pacemaker 2.1.5.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import Literal, TypeAlias

from reconciler.cib.dates import moment
from reconciler.cib.values import duration, integer
from reconciler.frozen import frozen

COMPARISONS = ("lt", "lte", "gt", "gte", "eq", "ne")
TYPES = ("string", "integer", "number", "version")
SOURCES = ("literal", "param", "meta")
PERIODS = (
    "years", "months", "monthdays", "days", "weekyears", "weeks", "weekdays", "yeardays", "yearsdays",
    "hours", "minutes", "seconds", "moon",
)  # fmt: skip

Connective: TypeAlias = Literal["and", "or"]
Period: TypeAlias = tuple[str, str]

_ORDER = {name: position for position, name in enumerate(PERIODS)}
_IN_DURATION = frozenset({"years", "months", "weeks", "days", "hours", "minutes", "seconds"})
_IN_SPEC = frozenset(PERIODS) - {"days", "yearsdays"}
_LIMITS = {
    "months": (1, 12), "monthdays": (1, 31), "weeks": (1, 53), "weekdays": (1, 7), "yeardays": (1, 366),
    "hours": (0, 23), "minutes": (0, 59), "seconds": (0, 59), "moon": (0, 7),
}  # fmt: skip
"""What there is of each period in a date_spec (Pacemaker Explained, "Date Specifications")."""

_ORDERED = frozenset({"lt", "lte", "gt", "gte"})
_SHORT_INTEGER = re.compile(r"[+-]?[0-9]{1,15}", re.ASCII)
_VERSION = re.compile(r"[0-9.]+", re.ASCII)
_RANGE = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?", re.ASCII)
_OPEN_RANGE = re.compile(r"(?=-?[0-9])([0-9]{0,9})(-?)([0-9]{0,9})", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class RuleError(ValueError):
    """A text or element is not a rule.

    Attributes:
        message: what is wrong, without the column.
        column: where in the text, counted from 1; None for XML.
    """

    def __init__(self, message: str, column: int | None = None) -> None:
        super().__init__(message if column is None else f"column {column}: {message}")
        self.message = message
        self.column = column


@frozen
class Defined:
    """The node has the attribute, or (``negated``) has it not."""

    attribute: str
    negated: bool = False


@frozen
class Comparison:
    """A node attribute compared with a value.

    Attributes:
        attribute: the attribute's name.
        operation: one of ``COMPARISONS``.
        value: what to compare with, or None where the element has none.
        type: one of ``TYPES``, or None for Pacemaker's choice: string for eq and ne; for the others integer, or number
            where either side has a dot. Naming string for eq or ne says nothing new and becomes None.
        source: "param" or "meta" if value is the name of a resource parameter or meta-attribute (of the resource that a
            location constraint names), else None.
    """

    attribute: str
    operation: str
    value: str | None
    type: str | None = None
    source: str | None = None

    def __post_init__(self) -> None:
        if self.operation not in COMPARISONS:
            raise RuleError(f"{self.operation!r} is not one of {', '.join(COMPARISONS)}")
        if self.type not in (None, *TYPES):
            raise RuleError(f"{self.type!r} is not one of {', '.join(TYPES)}")
        if self.source not in (None, *SOURCES):
            raise RuleError(f"{self.source!r} is not one of {', '.join(SOURCES)}")
        if self.source == "literal":
            object.__setattr__(self, "source", None)
        if self.type == "string" and self.operation not in _ORDERED:
            object.__setattr__(self, "type", None)
        if self.source is not None:
            # Neither can name a parameter, so to Pacemaker they are the same.
            object.__setattr__(self, "value", self.value or None)
        elif self.value is not None and _SHORT_INTEGER.fullmatch(self.value) and self._counts():
            object.__setattr__(self, "value", integer(self.value))

    def _counts(self) -> bool:
        return self.type in ("integer", "number") or (self.type is None and self.operation in _ORDERED)


@frozen
class DateBound:
    """It is later ("gt") or earlier ("lt") than a moment."""

    operation: str
    moment: str

    def __post_init__(self) -> None:
        if self.operation not in ("gt", "lt"):
            raise RuleError(f"{self.operation!r} is not one of gt, lt")
        object.__setattr__(self, "moment", _moment(self.moment))


@frozen
class DateRange:
    """It is between two moments, of which one may be missing, or within a duration after the start.

    Attributes:
        start: the first moment.
        end: the last moment. With an end, Pacemaker does not look at the duration, and none is kept.
        duration: pairs of a name from ``PERIODS`` and a number, in that order. One without pairs is ``hours=0``.
    """

    start: str | None = None
    end: str | None = None
    duration: tuple[Period, ...] | None = None

    def __post_init__(self) -> None:
        if self.start is None and self.end is None:
            raise RuleError("a date range has a start or an end")
        if self.start is not None:
            object.__setattr__(self, "start", _moment(self.start))
        if self.end is not None:
            object.__setattr__(self, "end", _moment(self.end))
            object.__setattr__(self, "duration", None)
        if self.duration is not None:
            object.__setattr__(self, "duration", _periods(self.duration or (("hours", "0"),)))


@frozen
class DateSpec:
    """It is one of the recurring times that the periods describe, as cron does: ``hours=9-17``.

    Attributes:
        periods: pairs of a name from ``PERIODS`` and a number or a range, in that order. None at all is always true,
            which is ``hours=0-23``.
    """

    periods: tuple[Period, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "periods", _periods(self.periods or (("hours", "0-23"),)))


@frozen
class ResourceMatch:
    """The resource's agent is of this class, provider and type. For use in rsc_defaults and op_defaults.

    None as class or type matches every one; None as provider, in 2.1.5, only agents that have none, so not ocf.
    """

    standard: str | None = None
    provider: str | None = None
    type: str | None = None


@frozen
class OperationMatch:
    """The operation has this name and, if given, this interval. In op_defaults."""

    name: str
    interval: str | None = None

    def __post_init__(self) -> None:
        if self.interval is not None:
            object.__setattr__(self, "interval", _canonical(duration, self.interval))


@frozen
class RuleReference:
    """Whatever the rule with this id says."""

    id: str


@frozen
class Combination:
    """At least two expressions joined by one connective; use :func:`combine` to make one."""

    connective: Connective
    operands: tuple["Expression", ...]

    def __post_init__(self) -> None:
        flat = [
            operand.operands
            if isinstance(operand, Combination) and operand.connective == self.connective
            else (operand,)
            for operand in self.operands
        ]
        object.__setattr__(self, "operands", tuple(chain.from_iterable(flat)))
        if len(self.operands) < 2:  # noqa: PLR2004
            raise RuleError(f"'{self.connective}' joins two or more expressions")


Expression: TypeAlias = (
    Defined
    | Comparison
    | DateBound
    | DateRange
    | DateSpec
    | ResourceMatch
    | OperationMatch
    | RuleReference
    | Combination
)


def combine(connective: Connective, operands: Iterable[Expression]) -> Expression:
    """Join expressions; one alone is itself, and what the same connective joined already is joined into one.

    Raises:
        RuleError: there are no operands.
    """
    several = tuple(operands)
    if not several:
        raise RuleError("a rule has at least one expression")
    return several[0] if len(several) == 1 else Combination(connective, several)


def references(expression: Expression) -> list[str]:
    """Return the ids of the rules that an expression refers to."""
    match expression:
        case RuleReference(id_):
            return [id_]
        case Combination(operands=operands):
            return [name for operand in operands for name in references(operand)]
        case _:
            return []


def doubts(expression: Expression) -> list[str]:
    """Name what can be written in a rule but does not do what it seems to, in the order of the text.

    Dates, periods and intervals that Pacemaker cannot read, or reads as something else, periods that it does not look
    at, what never holds, a match of resources that leaves out the provider, and versions over which
    ``compare_version`` of 2.1.5 hangs.
    """
    match expression:
        case Combination(operands=operands):
            return [doubt for operand in operands for doubt in doubts(operand)]
        case Comparison(type="version", value=str(text), source=None) if _VERSION.fullmatch(text) is None:
            return [f"Pacemaker 2.1.5 can hang when it compares versions such as {text!r}: keep to digits and dots"]
        case DateBound(moment=text):
            return _problems(moment, text)
        case DateRange(start=start, end=end, duration=periods):
            texts = [text for text in (start, end) if text is not None]
            problems = [problem for text in texts for problem in _problems(moment, text)]
            return [
                *problems,
                *_backwards(start, end),
                *_unread("duration", periods or (), _IN_DURATION),
                *(f"{name}={text} is not a whole number" for name, text in periods or () if not _is_whole(text)),
            ]
        case DateSpec(periods=periods):
            return _unread("date_spec", periods, _IN_SPEC) + _never(periods)
        case ResourceMatch(standard="ocf" | None, provider=None):
            return ["Pacemaker 2.1.5 finds that no ocf agent matches an rsc without provider="]
        case OperationMatch(interval=str(text)):
            return _problems(duration, text)
        case _:
            return []


def _is_whole(text: str) -> bool:
    return _SHORT_INTEGER.fullmatch(text) is not None


def _backwards(start: str | None, end: str | None) -> list[str]:
    days = [text for text in (start, end) if text is not None and _DAY.fullmatch(text)]
    return [f"it never holds, as {start} is after {end}"] if days != sorted(days) else []


def _never(periods: tuple[Period, ...]) -> list[str]:
    found = []
    for name, text in periods:
        match = _OPEN_RANGE.fullmatch(text)
        if match is None:
            found.append(f"{name}={text} is neither a number nor a range such as 1-5: Pacemaker passes it over")
            continue
        lowest, highest = _LIMITS.get(name, (0, 10**9))
        low = int(match[1] or lowest)
        high = int(match[3] or highest) if match[2] else low
        if low > high:
            halves = (
                f": date spec {name}={low}-{highest} or date spec {name}={lowest}-{high}" if name in _LIMITS else ""
            )
            found.append(f"{name}={text} never holds, as a range does not wrap around{halves}")
        elif low > highest or high < lowest:
            found.append(f"{name}={text} never holds: {name} are {lowest} to {highest}")
    return found


def _unread(element: str, periods: tuple[Period, ...], read: frozenset[str]) -> list[str]:
    return [f"Pacemaker does not look at {name} in a {element}" for name, _ in periods if name not in read]


def _problems(canonical: Callable[[str], str], text: str) -> list[str]:
    try:
        canonical(text)
    except ValueError as error:
        return [str(error)]
    return []


def _canonical(canonical: Callable[[str], str], text: str) -> str:
    # What Pacemaker cannot read is kept as it is: a live rule may hold it, and it is equal only to itself.
    try:
        return canonical(text)
    except ValueError:
        return text


def _moment(text: str) -> str:
    return _canonical(moment, text)


def _periods(periods: Iterable[Period]) -> tuple[Period, ...]:
    canonical: Mapping[str, str] = {name: _range(value) for name, value in periods}
    unknown = [name for name in canonical if name not in _ORDER]
    if unknown:
        raise RuleError(f"{unknown[0]!r} is not one of {', '.join(PERIODS)}")
    return tuple(sorted(canonical.items(), key=lambda period: _ORDER[period[0]]))


def _range(text: str) -> str:
    match = _RANGE.fullmatch(text)
    if match is None:
        return text
    low, high = (None if part is None else str(int(part)) for part in match.groups())
    return f"{low}-{high}" if high not in (None, low) else f"{low}"
