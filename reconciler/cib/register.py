"""The register: what the agents of a cluster must know together, kept in the CIB itself. Pure.

It is a property set with the id `reconciler`, never the first one of its section (pcs writes to that), made when there
is something to keep and removed when there is nothing more. Its values are sentences that a person can read in
`crm configure show`::

    reconciler-suspended       since 2026-11-24T06:00:00Z until 2026-11-24T08:00:00Z by root@vm-node1: kernel update
    reconciler-approved-DIGEST at 2026-11-24T07:00:00Z by root@vm-node1 revision REV: deletes Primitive/a; disrupts vip;
                               fences -; changes DIGESTS; from DisruptionBudget
    reconciler-quarantined     revision REV at 2026-11-24T07:00:00Z: httpd was running and is not any more; revision …;
                               revision REV/Primitive/vip at 2026-11-24T07:00:00Z: until 2026-11-24T08:00:00Z, as …

A single object that is left alone stands with the quarantines: agents of an older version suspend themselves over an
entry that they cannot read, and take this for the quarantine of another revision.

They hold no control characters and nothing that XML or crm would quote: those, a percent sign that two hexadecimal
digits follow, and blanks and semicolons within words are written as in a URL (`%22`). Pacemaker ignores options that it
does not know.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from reconciler.cib import patch
from reconciler.cib.document import Cib, children
from reconciler.cib.draft import Edits, created_behind, draft
from reconciler.frozen import frozen
from reconciler.state import Ref

SET = "reconciler"
"""The id of the property set."""

SECTION = "crm_config"
LONGEST_REASON = 200
"""So many characters may a reason have."""

MOST_APPROVALS = 8
"""So many approvals are kept; the oldest make way."""

MOST_QUARANTINES = 5
"""So many revisions that did harm are remembered; the oldest make way."""

MOST_PAUSES = 50
"""So many single objects are remembered to be left alone; those that end first make way."""

LONGEST_VALUE = 1 << 16
"""So many bytes may a value have; an approval of more than that is refused."""

_CONFIGURATION = "/cib/configuration"
_ALL_FIELDS_SINCE = (3, 20)
_SUSPENDED = "reconciler-suspended"
_QUARANTINED = "reconciler-quarantined"
_APPROVED = "reconciler-approved-"
_NOBODY = "-"


@frozen
class Suspension:
    """Nothing is to be changed until `until`; times are in Unix seconds."""

    since: int
    until: int
    by: str
    reason: str


@frozen
class Approval:
    """What a person has released: a plan by its digest, for one revision of the manifests.

    It also releases later plans of that revision that ask for nothing more. `at` is in Unix seconds, `disrupted` are
    resources, `fenced` nodes, `changes` the digests (12 hexadecimal digits) of single changes, `reasons` what held
    the plan when it was approved, in the guards' words: from nothing else it is released.
    """

    digest: str
    at: int
    by: str
    revision: str
    deletions: frozenset[Ref] = frozenset()
    disrupted: frozenset[str] = frozenset()
    fenced: frozenset[str] = frozenset()
    changes: frozenset[str] = frozenset()
    reasons: frozenset[str] = frozenset()


@frozen
class Quarantine:
    """A revision of the manifests that did harm: it is not applied again. `at` is in Unix seconds."""

    revision: str
    at: int
    reason: str


@frozen
class Pause:
    """An object that a revision is not to correct until `until`, because that did harm; times are in Unix seconds."""

    revision: str
    ref: Ref
    at: int
    until: int
    reason: str


@frozen
class Register:
    """Everything that is kept.

    `quarantines` are the revisions that did harm, the newest first; `pauses` the objects whose correction did, the last
    to end first; `unreadable` entries (name, value) that say nothing this version understands.
    """

    suspended: Suspension | None = None
    approvals: tuple[Approval, ...] = ()
    quarantines: tuple[Quarantine, ...] = ()
    unreadable: tuple[tuple[str, str], ...] = ()
    pauses: tuple[Pause, ...] = ()

    def approving(self, approval: Approval) -> "Register":
        """Return it with one more approval; of too many the oldest go."""
        others = (kept for kept in self.approvals if kept.digest != approval.digest)
        newest = sorted((*others, approval), key=lambda kept: (kept.at, kept.digest))[-MOST_APPROVALS:]
        return replace(self, approvals=_in_order(newest))

    def quarantining(self, quarantine: Quarantine) -> "Register":
        """Return it with one more revision in quarantine; of too many the oldest go."""
        others = (kept for kept in self.quarantines if kept.revision != quarantine.revision)
        return replace(self, quarantines=(quarantine, *others)[:MOST_QUARANTINES])

    def pausing(self, pauses: Iterable[Pause]) -> "Register":
        """Return it with more objects left alone; of two pauses of one object, and of too many, the longest stay."""
        known = {(one.revision, one.ref): one for one in sorted((*self.pauses, *pauses), key=lambda one: one.until)}
        longest = sorted(known.values(), key=lambda one: (-one.until, one.revision, one.ref))
        return replace(self, pauses=tuple(longest[:MOST_PAUSES]))

    def quarantine_of(self, revision: str) -> Quarantine | None:
        """Return the quarantine of a revision, if it is in one."""
        return next((kept for kept in self.quarantines if kept.revision == revision), None)


class RegisterError(ValueError):
    """The register cannot be written: its id belongs to something else, or a value would be too long."""


def read(cib: Cib) -> Register:
    """Return what a CIB keeps; an entry that cannot be read is kept as it is, in `unreadable`."""
    entries = _entries(cib)
    names = [name for name, _ in entries]
    found: list[_Entry] = []
    unreadable = []
    for name, value in entries:
        item = _understood(name, value) if names.count(name) == 1 else None
        if item is None:
            unreadable.append((name, value))
        else:
            found.append(item)
    return Register(
        next((item for item in found if isinstance(item, Suspension)), None),
        _in_order(item for item in found if isinstance(item, Approval)),
        tuple(bad for item in found if isinstance(item, tuple) for bad in item if isinstance(bad, Quarantine)),
        tuple(sorted(unreadable)),
        tuple(bad for item in found if isinstance(item, tuple) for bad in item if isinstance(bad, Pause)),
    )


_Entry = Suspension | tuple[Quarantine | Pause, ...] | Approval


def _understood(name: str, value: str) -> _Entry | None:
    try:
        if name == _SUSPENDED:
            return _suspension(value)
        return _harmful(value) if name == _QUARANTINED else _approval(name, value)
    except ValueError:
        return None


def edits(cib: Cib, register: Register) -> Edits:
    """Return what makes the CIB keep exactly this; nothing if it does.

    Raises:
        RegisterError: there is something to write, and the id belongs to something else, or a new value is longer than
            `LONGEST_VALUE`.
    """
    if register == read(cib):
        return Edits()
    live = _live(cib)
    if live is None and SET in cib.by_id:
        raise RegisterError(f"the id {SET!r}, under which the agents keep what they share, belongs to another object")
    wanted, there = dict(_said(register)), dict(_entries(cib))
    new = {name: value for name, value in wanted.items() if there.get(name) != value}
    too_long = next((name for name, value in new.items() if len(value.encode()) > LONGEST_VALUE), None)
    if too_long:
        raise RegisterError(f"{too_long} would be longer than {LONGEST_VALUE} bytes: make the change in smaller steps")
    if not wanted:
        return Edits(dropped=frozenset() if live is None else frozenset({live}))
    written = ET.Element("cluster_property_set", {"id": SET})
    for name, value in wanted.items():
        ET.SubElement(written, "nvpair", {"id": name, "name": name, "value": value})
    if live is not None:
        return Edits(changed={live: written})
    return Edits(created=created_behind(cib, SECTION, written))


def patched(cib: Cib, register: Register) -> str | None:
    """Return the versioned patch for `cibadmin --patch` that makes the CIB keep exactly this; None if it does.

    Raises:
        RegisterError: see `edits`.
    """
    configuration = draft(cib, edits(cib, register))
    operations = patch.diff(cib.configuration, configuration, _CONFIGURATION)
    if not operations:
        return None
    return patch.render(operations, cib.version, all_fields=cib.feature_set >= _ALL_FIELDS_SINCE)


def _live(cib: Cib) -> ET.Element | None:
    return _found(cib.objects(SECTION))


def _found(elements: Iterable[ET.Element]) -> ET.Element | None:
    sets = (element for element in elements if element.tag == "cluster_property_set")
    return next((element for element in sets if element.get("id") == SET), None)


def _entries(cib: Cib) -> list[tuple[str, str]]:
    """Return names and values; a part that is no plain pair is there by its tag, so that it is not overlooked."""
    return [
        (part.get("name", ""), part.get("value", ""))
        if part.tag == "nvpair" and part.get("name")
        else (str(part.tag), part.get("id", ""))
        for part in children(_found(cib.peek(SECTION)))
    ]


def _in_order(approvals: Iterable[Approval]) -> tuple[Approval, ...]:
    return tuple(sorted(approvals, key=lambda approval: approval.digest))


def _said(register: Register) -> Iterator[tuple[str, str]]:
    """Yield names and values; what is said anew comes last, and takes the place of what could not be read."""
    yield from register.unreadable
    if register.suspended:
        it = register.suspended
        words = f"since {_time(it.since)} until {_time(it.until)} by {_word(it.by)}"
        yield _SUSPENDED, f"{words}: {_escaped(it.reason)}"
    harmful: tuple[Quarantine | Pause, ...] = (*register.quarantines, *register.pauses)
    if harmful:
        yield _QUARANTINED, "; ".join(map(_bad, harmful))
    for approval in register.approvals:
        yield _APPROVED + approval.digest, _sentence(approval)


def _bad(bad: Quarantine | Pause) -> str:
    what, reason = _word(bad.revision, "/"), _escaped(bad.reason, ";")
    if isinstance(bad, Pause):
        what = f"{what}/{_word(bad.ref.kind, '/')}/{_word(bad.ref.name, '/')}"
        reason = f"until {_time(bad.until)}, as {reason}"
    return f"revision {what} at {_time(bad.at)}: {reason}"


def _sentence(approval: Approval) -> str:
    deletions = (f"{_word(ref.kind, '/')}/{_word(ref.name)}" for ref in sorted(approval.deletions))
    return (
        f"at {_time(approval.at)} by {_word(approval.by)} revision {_word(approval.revision)}: "
        f"deletes {_words(deletions)}; "
        f"disrupts {_words(map(_word, sorted(approval.disrupted)))}; "
        f"fences {_words(map(_word, sorted(approval.fenced)))}; "
        f"changes {_words(sorted(approval.changes))}; "
        f"from {_words(map(_word, sorted(approval.reasons)))}"
    )


def _words(words: Iterable[str]) -> str:
    return " ".join(words) or _NOBODY


_A_TIME = r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"
_SUSPENSION = re.compile(rf"since {_A_TIME} until {_A_TIME} by (\S+): (.*)", re.ASCII)
_QUARANTINE = re.compile(rf"revision (\S+) at {_A_TIME}: (.*)", re.ASCII)
_PAUSED = re.compile(rf"until {_A_TIME}, as (.*)", re.ASCII)
_APPROVAL = re.compile(
    rf"at {_A_TIME} by (\S+) revision (\S+): deletes ([^;]+); disrupts ([^;]+); fences ([^;]+); changes ([^;]+); "
    r"from ([^;]+)",
    re.ASCII,
)
_DIGEST = re.compile(r"[0-9a-f]{12}")


def _suspension(text: str) -> Suspension:
    since, until, by, reason = _taken(_SUSPENSION, text)
    return Suspension(_moment(since), _moment(until), _plain(by), _plain(reason))


def _harmful(text: str) -> tuple[Quarantine | Pause, ...]:
    return tuple(_read_bad(*_taken(_QUARANTINE, part)) for part in text.split("; "))


def _read_bad(what: str, at: str, reason: str) -> Quarantine | Pause:
    revision, slash, ref = what.partition("/")
    if not slash:
        return Quarantine(_plain(revision), _moment(at), _plain(reason))
    until, why = _taken(_PAUSED, reason)
    return Pause(_plain(revision), _ref(ref), _moment(at), _moment(until), _plain(why))


def _approval(name: str, text: str) -> Approval:
    digest = name.removeprefix(_APPROVED)
    at, by, revision, deletes, disrupts, fences, changes, reasons = _taken(_APPROVAL, text)
    known = frozenset(_split(changes))
    if not name.startswith(_APPROVED) or not all(_DIGEST.fullmatch(item) for item in (digest, *known)):
        raise ValueError(name)
    return Approval(
        digest,
        _moment(at),
        _plain(by),
        _plain(revision),
        frozenset(_ref(word) for word in _split(deletes)),
        frozenset(_plain(word) for word in _split(disrupts)),
        frozenset(_plain(word) for word in _split(fences)),
        known,
        frozenset(_plain(word) for word in _split(reasons)),
    )


def _taken(pattern: re.Pattern[str], text: str) -> tuple[str, ...]:
    found = pattern.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return found.groups()


def _split(words: str) -> list[str]:
    return [] if words == _NOBODY else words.split(" ")


def _ref(word: str) -> Ref:
    kind, slash, name = word.partition("/")
    if not slash:
        raise ValueError(word)
    return Ref(_plain(kind), _plain(name))


def _time(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _moment(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def _word(text: str, also: str = "") -> str:
    """Escape a word: without blanks and semicolons, and not taken for nobody."""
    return "%2D" if text == _NOBODY else _escaped(text, f" ;{also}")


_TROUBLE = '"\\&<>'
"""crm loses a double quote, and everything before a backslash at the end. What XML escapes, Pacemaker 2.1.5 garbles
where letters beyond ASCII stand beside it (`crm_xml_escape` in `lib/common/xml.c`)."""

_ESCAPE = re.compile("%[0-9A-Fa-f]{2}")


def _escaped(text: str, also: str = "") -> str:
    trouble = _TROUBLE + also
    return "".join(
        _bytes(char) if char in trouble or not char.isprintable() or _ESCAPE.match(text, index) else char
        for index, char in enumerate(text)
    )


def _bytes(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))


def _plain(text: str) -> str:
    """Undo `_escaped`.

    Raises:
        ValueError: what was escaped is no text.
    """
    runs = re.compile("(?:%[0-9A-Fa-f]{2})+")
    return runs.sub(lambda run: bytes.fromhex(run[0].replace("%", "")).decode("utf-8", "surrogatepass"), text)
