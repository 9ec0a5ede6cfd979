"""The nouns of a decision: changes, holds, the plan, and what became of it. Pure.

A plan leaves nothing to choose: its commands are literal, its text is what a person reads before it is applied.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from enum import StrEnum
from typing import Any

from reconciler.frozen import frozen
from reconciler.secret import Secret, is_digest, looks_secret
from reconciler.state import Ref, Scope, Spec


class Verb(StrEnum):
    """What a change does to its object."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Reason(StrEnum):
    """Why an object is not, or not yet, as wanted: one word, shared by plan, conditions, log and metrics."""

    IN_SYNC = "InSync"
    PENDING = "Pending"
    FAILED = "Failed"
    REJECTED = "Rejected"
    UNOBSERVABLE = "Unobservable"
    NOT_WRITER = "NotWriter"
    NO_QUORUM = "NoQuorum"
    NO_DC = "NoDC"
    OBSERVE_ONLY = "ObserveOnly"
    SUSPENDED = "Suspended"
    REFERENCE_MISSING = "ReferenceMissing"
    REFERENCED = "Referenced"
    UNSUPPORTED = "Unsupported"
    NAME_TAKEN = "NameTaken"
    STOPPING = "Stopping"
    DELETION_BUDGET = "DeletionBudget"
    PRUNE_OFF = "PruneOff"
    CLUSTER_OWNED = "ClusterOwned"
    ADDRESS_ORDER = "AddressOrder"
    LINK_MISSING = "LinkMissing"
    OSCILLATING = "Oscillating"
    BACKING_OFF = "BackingOff"
    BREAKS_SCHEDULER = "BreaksScheduler"
    SECRET_UNAVAILABLE = "SecretUnavailable"  # noqa: S105
    INVALID = "Invalid"
    VERIFY_ERRORS = "VerifyErrors"
    NO_FORECAST = "NoForecast"
    DISRUPTION_BUDGET = "DisruptionBudget"
    FENCING = "Fencing"
    FENCING_PENDING = "FencingPending"
    TRANSITION_RUNNING = "TransitionRunning"
    MAINTENANCE_MODE = "MaintenanceMode"
    OUTSIDE_WINDOW = "OutsideWindow"
    REVISION_SKEW = "RevisionSkew"
    QUARANTINED = "Quarantined"


@frozen
class FieldChange:
    """One field before and after, as texts; None is absent. `path` is dotted: `params.ip`."""

    path: str
    before: str | None
    after: str | None


@frozen
class Change:
    """One object before and after. `adopts` says that a live object which nobody recorded becomes ours."""

    ref: Ref
    before: Spec | None
    after: Spec | None
    adopts: bool = False

    def __post_init__(self) -> None:
        if self.before is None and self.after is None:
            raise ValueError(f"{self.ref}: a change needs a before or an after")

    @property
    def verb(self) -> Verb:
        """Create without a before, delete without an after, else update."""
        if self.before is None:
            return Verb.CREATE
        return Verb.DELETE if self.after is None else Verb.UPDATE

    def fields(self) -> tuple[FieldChange, ...]:
        """Return the fields that differ, in the order in which the models declare them."""
        before = dict(flatten(self.before)) if self.before is not None else {}
        after = dict(flatten(self.after)) if self.after is not None else {}
        paths = [*after, *(path for path in before if path not in after)]
        return tuple(
            FieldChange(path, before.get(path), after.get(path))
            for path in paths
            if before.get(path) != after.get(path)
        )


def flatten(spec: Spec) -> Iterator[tuple[str, str]]:
    """Yield every field that a spec says as path and text: `params.ip`, `192.0.2.1`."""
    yield from _flatten(spec.model_dump(by_alias=True, exclude_none=True, mode="json"))


def _flatten(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    match value:
        case Mapping():
            for key, inner in value.items():
                yield from _flatten(inner, f"{path}.{key}" if path else str(key))
        case []:
            return
        case list() if all(isinstance(item, Mapping) and "interval" in item for item in value):
            for item in value:
                label = f"{path}[{_label(item, 0)}]"
                said = list(_flatten({key: inner for key, inner in item.items() if key not in _LABELS}))
                hidden = [(name, text) for name, text in said if looks_secret(name) and not is_digest(text)]
                yield label, _words([pair for pair in said if pair not in hidden])
                yield from ((f"{label}.{name}", text) for name, text in hidden)
        case list() if all(isinstance(item, Mapping) and "devices" in item for item in value):
            for label, item in zip(_numbered([_label(item, 0) for item in value]), value, strict=True):
                yield f"{path}[{label}]", ", ".join(item["devices"])
        case list() if any(isinstance(item, Mapping | list) for item in value):
            for label, inner in zip(
                _numbered([_label(inner, at) for at, inner in enumerate(value)]), value, strict=True
            ):
                yield from _flatten(inner, f"{path}[{label}]")
        case list():
            yield path, ", ".join(map(str, value))
        case bool():
            yield path, "true" if value else "false"
        case _:
            yield path, str(value)


def _numbered(labels: Sequence[str]) -> Iterator[str]:
    """Tell apart those that are alike: the second gets a number."""
    seen: dict[str, int] = {}
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        yield label if seen[label] == 1 else f"{label} #{seen[label]}"


def _label(item: Any, index: int) -> str:
    """Name a list's item by what people call it (`monitor 10s`), so that a change of order is no change of all."""
    if isinstance(item, Mapping) and "name" in item:
        words = [str(item[key]) for key in _LABELS if key in item and item[key] != "0s"]
        return " ".join(words)
    if isinstance(item, Mapping) and "devices" in item:
        return " ".join(str(item[key]) for key in _LEVELS if key in item)
    if isinstance(item, Mapping) and "value" in item:
        return str(item["value"])
    if isinstance(item, Mapping) and "to" in item:
        return " ".join([str(item["to"]), *(f"{key} {item[key]}" for key in _ROUTES if key in item)])
    return str(index)


_LABELS = ("name", "interval", "role")
_LEVELS = ("target", "target-pattern", "target-attribute", "target-value", "index")
_ROUTES = ("table", "metric")
"""What tells two routes to one destination apart, as iproute2 writes it."""


def _words(said: Iterable[tuple[str, str]]) -> str:
    """Say an operation in one line: what its label does not say already, and has no name that hides it."""
    return " ".join(f"{path}={text}" for path, text in said) or "with defaults"


@frozen
class Hold:
    """Something that is wanted and is not done now, and why. Without `ref` it holds a whole scope."""

    reason: Reason
    message: str
    ref: Ref | None = None
    scope: Scope = Scope.CLUSTER


def undone(hold: Hold, change: Change) -> Hold:
    """Return the hold of an object that is only looked at with what would be changed; others say what they have to."""
    if hold.reason is not Reason.OBSERVE_ONLY:
        return hold
    paths = [field.path for field in change.fields()] if change.verb is Verb.UPDATE else []
    more = f" and {len(paths) - _FEW} more" if len(paths) > _FEW else ""
    where = f" {', '.join(paths[:_FEW])}{more}" if paths else ""
    return replace(hold, message=f"{hold.message}; not done: {change.verb}{where}")


_FEW = 4


@frozen
class Override:
    """A live setting of a person's or of Pacemaker's that no manifest names: respected and reported."""

    ref: Ref
    field: str
    value: str


@frozen
class Command:
    """A literal command: nothing is left to decide. `secrets` may be in what it reads, and in what it then says."""

    argv: tuple[str, ...]
    stdin: str = field(repr=False)
    scope: Scope
    refs: tuple[Ref, ...]
    secrets: tuple[Secret, ...] = ()


@frozen
class Plan:
    """What closes the gap between desired and observed, what is held back, and what was seen and left alone.

    `commands` are to be run in order. An empty `changes` means in sync; `adoptions` are objects that already are
    as wanted and only get recorded as ours.
    """

    changes: tuple[Change, ...] = ()
    adoptions: tuple[Ref, ...] = ()
    holds: tuple[Hold, ...] = ()
    overrides: tuple[Override, ...] = ()
    foreign: tuple[Ref, ...] = ()
    warnings: tuple[str, ...] = ()
    commands: tuple[Command, ...] = ()


@frozen
class Outcome:
    """What became of a command: its exit code, its errors, how long it took. A failure is a value."""

    command: Command
    code: int
    stderr: str
    seconds: float

    @property
    def ok(self) -> bool:
        """True if the command said that it did what it was told."""
        return self.code == 0
