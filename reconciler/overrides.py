"""Since when people's settings have been in the cluster's configuration, and which of them were forgotten. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any
from xml.etree import ElementTree as ET

from reconciler.cib.cluster import ClusterStatus
from reconciler.cib.dates import moment
from reconciler.cib.document import Cib, key
from reconciler.cib.status import written
from reconciler.frozen import frozen
from reconciler.kinds.observe import Observed
from reconciler.plan import Override
from reconciler.state import Ref
from reconciler.text import timestamp

CONSTRAINT = "constraint"

PASSING = {
    CONSTRAINT: frozenset[str](),
    "target-role": frozenset({"started", "promoted"}),
    "is-managed": frozenset({"true"}),
    "maintenance": frozenset({"false"}),
    "standby": frozenset({"false", "off"}),
    "maintenance-mode": frozenset({"false"}),
    "stop-all-resources": frozenset({"false"}),
}
"""What people set for a while and may forget, with the values that hold up nothing."""


@frozen
class Mark:
    """The identity of an override over restarts; of the value there is only a digest, for it may be a secret."""

    ref: Ref
    field: str
    digest: str

    @classmethod
    def of(cls, override: Override) -> "Mark":
        """Return the identity of an override."""
        return cls(override.ref, override.field, sha256(override.value.encode()).hexdigest()[:16])


@frozen
class Age:
    """Since when, in Unix seconds; `exact` is false where it may have been there longer. `expired`: without effect."""

    since: float
    exact: bool
    expired: bool = False


Ages = Mapping[Mark, Age]


def ages(known: Ages, overrides: Iterable[Override], now: float, found: Ages, *, watched: bool) -> dict[Mark, Age]:
    """Return how old the overrides of a pass are.

    Args:
        known: as of the pass before, or as kept.
        overrides: those that there are.
        now: Unix seconds.
        found: what `look_back` found out of new ones.
        watched: whether this agent has seen that the new ones were not there before.
    """
    aged = {}
    for override in overrides:
        mark = Mark.of(override)
        aged[mark] = known.get(mark) or found.get(mark) or Age(now, exact=watched)
    return aged


def look_back(overrides: Iterable[Override], live: Observed, old: Iterable[Cib], now: float) -> dict[Mark, Age]:
    """Find out since when overrides have been there from older versions of the CIB, the newest first.

    A version is read only if it is needed. It says when it was written by the clock of whoever wrote it, without a
    zone: all nodes are taken to live in one.
    """
    parts = {Mark.of(override): part for override in overrides if (part := _parts(override, live))}
    since = dict.fromkeys(parts, _when(live.cib, now))
    found: dict[Mark, Age] = {}
    for version in old if parts else ():
        for mark in [mark for mark in parts if mark not in found]:
            if _holds(parts[mark], version):
                since[mark] = min(since[mark], _when(version, now))
            else:
                found[mark] = Age(since[mark], exact=True)
        if len(found) == len(parts):
            break
    return {**{mark: Age(at, exact=False) for mark, at in since.items()}, **found}


def _parts(override: Override, live: Observed) -> dict[str, Mapping[str, str]]:
    """Return the elements that are the override: of a constraint its own, else the pairs of that name in it."""
    element = live.elements.get(override.ref)
    if element is None:
        return {}
    name = _last(override.field)
    found = [element] if name == CONSTRAINT else [pair for pair in element.iter("nvpair") if pair.get("name") == name]
    return {key(part): _plain(part) for part in found if part.get("id")}


def _plain(element: ET.Element) -> Mapping[str, str]:
    return dict(element.attrib)


def _holds(parts: Mapping[str, Mapping[str, str]], version: Cib) -> bool:
    there = version.by_id
    return all(name in there and _plain(there[name]) == attributes for name, attributes in parts.items())


def _when(cib: Cib, now: float) -> float:
    at = written(cib.attributes.get("cib-last-written", ""))
    return now if at is None else min(at.timestamp(), now)


def _last(field: str) -> str:
    return field.rpartition(".")[2]


def passing(override: Override) -> bool:
    """Tell whether it is something that people set for a while and that still holds something up."""
    harmless = PASSING.get(_last(override.field))
    return harmless is not None and override.value.lower() not in harmless


def word(override: Override) -> str:
    """Return what sort of override it is, one of `PASSING`, for a metric's label."""
    return _last(override.field)


def with_expiry(aged: Ages, overrides: Iterable[Override], status: ClusterStatus | None, now: float) -> dict[Mark, Age]:
    """Say which constraints have a lifetime that is over: they are there, and do nothing."""
    ends = {item.id: item.until for item in status.cli_constraints if item.until} if status else {}
    over = {Mark.of(item) for item in overrides if item.field == CONSTRAINT and _past(ends.get(item.ref.name, ""), now)}
    return {mark: Age(age.since, age.exact, mark in over) for mark, age in aged.items()}


def _past(end: str, now: float) -> bool:
    try:
        return bool(end) and datetime.fromisoformat(moment(end)).timestamp() < now
    except ValueError:
        return False


def words(age: Age, now: float) -> str:
    """Say an age: `for 3d`, `for at least 3d`, and that it has expired."""
    text = f"for {'' if age.exact else 'at least '}{lapse(now - age.since)}"
    return f"{text}, expired" if age.expired else text


def lapse(seconds: float) -> str:
    """Say a length of time in its largest unit: 3d, 5h, 12m, 40s."""
    whole = max(0, int(seconds))
    for length, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if whole >= length:
            return f"{whole // length}{unit}"
    return f"{whole}s"


def dump(aged: Ages) -> list[dict[str, Any]]:
    """Return ages as values that JSON can hold."""
    return [
        {"kind": mark.ref.kind, "name": mark.ref.name, "field": mark.field, "digest": mark.digest}
        | {"since": timestamp(age.since), "exact": age.exact}
        for mark, age in aged.items()
    ]


def load(kept: object) -> dict[Mark, Age]:
    """Take back what `dump` gave; what cannot be read is left out."""
    found = {}
    for item in kept if isinstance(kept, list) else []:
        try:
            mark = Mark(Ref(str(item["kind"]), str(item["name"])), str(item["field"]), str(item["digest"]))
            found[mark] = Age(datetime.fromisoformat(item["since"]).timestamp(), bool(item["exact"]))
        except (KeyError, TypeError, ValueError, OverflowError):
            continue
    return found
