"""What happened, object by object, in Kubernetes' words: bounded, counted, kept over restarts. Pure.

The same event again counts up instead of being one more: `count`, `firstTimestamp`, `lastTimestamp`. Times inside the
program are Unix seconds, in documents RFC 3339 in UTC.
"""

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from reconciler.frozen import frozen
from reconciler.plan import FieldChange, Verb
from reconciler.secret import shown
from reconciler.state import Ref
from reconciler.text import timestamp

PER_OBJECT = 10
MOST = 1000
_LONGEST = 400
_FIELDS = 8


class Type(StrEnum):
    """Kubernetes' types of events: what goes as it should, and what a person should know of."""

    NORMAL = "Normal"
    WARNING = "Warning"


class Why(StrEnum):
    """Reasons of events that are not reasons of conditions."""

    APPLIED = "Applied"
    ADOPTED = "Adopted"
    OUT_OF_BAND = "ChangedOutOfBand"
    BY_PACEMAKER = "ChangedByPacemaker"
    RELEASED = "Released"
    STARTED = "Started"
    FAILOVER = "Failover"
    RECOVERY = "Recovery"
    MANY = "ManyObjects"
    SURPRISE = "NotAsForecast"
    HARM = "MadeUnhealthy"


@frozen
class Source:
    """Who: a program, the node that it ran on, the user that it ran as; empty what is not known."""

    component: str
    host: str = ""
    user: str = ""


@frozen
class Edited:
    """What an event changed: how, which fields, from which version of the CIB to which, when by the editor's clock.

    Values in `fields` are as they may be shown: no secrets.
    """

    verb: Verb
    fields: tuple[FieldChange, ...] = ()
    before: str = ""
    after: str = ""
    written: str = ""


@frozen
class Event:
    """One thing that happened to an object, `count` times between `first` and `last`."""

    ref: Ref
    type: Type
    reason: str
    message: str
    source: Source
    first: float
    last: float
    count: int = 1
    edited: Edited | None = None


@frozen
class Teller:
    """Whoever makes things happen at a time, in Unix seconds: what it tells of has happened once."""

    source: Source
    at: float

    def normal(self, ref: Ref, reason: str, message: str, change: Edited | None = None) -> Event:
        """Return an event of what goes as it should."""
        return self._event(Type.NORMAL, ref, reason, message, change)

    def warning(self, ref: Ref, reason: str, message: str, change: Edited | None = None) -> Event:
        """Return an event that a person should know of."""
        return self._event(Type.WARNING, ref, reason, message, change)

    def _event(self, type_: Type, ref: Ref, reason: str, message: str, change: Edited | None) -> Event:
        text = message if len(message) <= _LONGEST else f"{message[: _LONGEST - 2]} …"
        return Event(ref, type_, reason, text, self.source, self.at, self.at, edited=change)


def edited(verb: Verb, fields: Iterable[FieldChange]) -> Edited:
    """Return what was changed, with no secret in it; of many fields the first."""
    few = [item for item, _ in zip(fields, range(_FIELDS), strict=False)]
    return Edited(
        verb, tuple(FieldChange(item.path, shown(item.path, item.before), shown(item.path, item.after)) for item in few)
    )


def words(change: Edited, more: int = 0) -> str:
    """Say the fields of a change; `more` is how many there are beside these."""
    match change.verb:
        case Verb.CREATE:
            parts = [f"{item.path}: {item.after}" for item in change.fields]
        case Verb.DELETE:
            parts = [f"{item.path}: {item.before}" for item in change.fields]
        case _:
            parts = [
                f"{item.path}: {item.before or '(absent)'} -> {item.after or '(absent)'}" for item in change.fields
            ]
    return ", ".join([*parts, *([f"and {more} more"] if more > 0 else [])])


_Key = tuple[Ref, str, str, str, Source]


def _key(item: Event) -> _Key:
    return item.ref, item.type, item.reason, item.message, item.source


@frozen
class Ledger:
    """Events, the one that happened last at the end: so many per object, and so many in all."""

    _events: Mapping[_Key, Event] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def events(self) -> tuple[Event, ...]:
        """All of them, oldest first."""
        return tuple(self._events.values())

    def of(self, kind: str, name: str) -> tuple[Event, ...]:
        """Return an object's events, oldest first; the kind in any case."""
        return tuple(
            item for item in self._events.values() if item.ref.name == name and item.ref.kind.lower() == kind.lower()
        )

    def after(self, news: Iterable[Event]) -> "Ledger":
        """Return the ledger after more has happened, in this order.

        Where there are too many, the oldest go: first those of an object that has too many, then of all of them the
        normal ones before the warnings. What happened last stays.
        """
        events = dict(self._events)
        for item in news:
            old = events.pop(_key(item), None)
            events[_key(item)] = _again(old, item) if old else item
            _trim(events, item.ref)
        return Ledger(MappingProxyType(events))


def _again(old: Event, new: Event) -> Event:
    first, last = min(old.first, new.first), max(old.last, new.last)
    return replace(new, first=first, last=last, count=old.count + new.count)


def _trim(events: dict[_Key, Event], ref: Ref) -> None:
    """Let go of what is too much, after something was added to one object."""
    of_object = [key for key in events if key[0] == ref]
    for key in of_object[:-PER_OBJECT]:
        del events[key]
    if len(events) > MOST:
        *before, _ = events
        dispensable = next((key for key in before if events[key].type is Type.NORMAL), before[0])
        del events[dispensable]


def dump(items: Iterable[Event]) -> list[dict[str, Any]]:
    """Return events as Kubernetes would, as values that JSON can hold; `change` is our own."""
    return [_dumped(item) for item in items]


def _dumped(item: Event) -> dict[str, Any]:
    document: dict[str, Any] = {
        "involvedObject": {"kind": item.ref.kind, "name": item.ref.name},
        "type": str(item.type),
        "reason": str(item.reason),
        "message": item.message,
        "source": {"component": item.source.component, "host": item.source.host, "user": item.source.user},
        "count": item.count,
        "firstTimestamp": timestamp(item.first),
        "lastTimestamp": timestamp(item.last),
    }
    if item.edited:
        document["change"] = {
            "verb": str(item.edited.verb),
            "fields": [{"path": part.path, "before": part.before, "after": part.after} for part in item.edited.fields],
            "versions": [item.edited.before, item.edited.after],
            "written": item.edited.written,
        }
    return document


def load(kept: object) -> Ledger:
    """Take back what `dump` gave; what cannot be read is left out."""
    found = []
    for item in kept if isinstance(kept, list) else []:
        try:
            found.append(_loaded(item))
        except (KeyError, TypeError, ValueError, OverflowError):
            continue
    return Ledger().after(found)


def _loaded(item: Any) -> Event:
    named, source, change = item["involvedObject"], item["source"], item.get("change")
    return Event(
        Ref(str(named["kind"]), str(named["name"])),
        Type(item["type"]),
        str(item["reason"]),
        str(item["message"]),
        Source(str(source["component"]), str(source["host"]), str(source["user"])),
        datetime.fromisoformat(item["firstTimestamp"]).timestamp(),
        datetime.fromisoformat(item["lastTimestamp"]).timestamp(),
        int(item["count"]),
        _loaded_change(change) if change else None,
    )


def _loaded_change(change: Any) -> Edited:
    before, after = change["versions"]
    fields = tuple(FieldChange(str(part["path"]), part["before"], part["after"]) for part in change["fields"])
    return Edited(Verb(change["verb"]), fields, str(before), str(after), str(change["written"]))
