"""What the CIB holds, in the kinds' own words. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from xml.etree import ElementTree as ET

from reconciler import kinds
from reconciler.cib import dialect, register
from reconciler.cib.document import CONTAINERS, RESOURCES, Cib, children, key
from reconciler.cib.ownership import TAG, is_record, recorded_ids
from reconciler.cib.references import Users, ids, referred_by, users
from reconciler.kinds import CLUSTER_KINDS
from reconciler.kinds.base import ClusterKind
from reconciler.secret import Secret
from reconciler.state import Ref, Spec, State

_FEW = 4
"""So many are named in one message."""


@dataclass(frozen=True)
class Observed:
    """The configuration as objects: what each says, and which ids are recorded as ours.

    `unsupported` are objects whose kind is known but which say something that it cannot express; `unknown` are objects
    of no kind, by the name of their element. Neither is ever touched. `shared_ids` are the ids of the values that
    people set too, by their names; `sections` are the tags of the sections, in order. `secrets` are the values that are
    never shown, once they have been closed.
    """

    cib: Cib
    state: State = field(repr=False)  # what nobody has closed yet would be in it
    unsupported: Mapping[Ref, str]
    unknown: tuple[Ref, ...]
    owned: frozenset[str]
    shared_ids: Mapping[Ref, Mapping[str, str]]
    sections: tuple[str, ...]
    secrets: tuple[Secret, ...] = ()

    @cached_property
    def elements(self) -> Mapping[Ref, ET.Element]:
        """The element of every object. That of one that the CIB names twice is the first."""
        found: dict[Ref, ET.Element] = {}
        for kind, element in _objects(self.cib):
            ref = _ref(kind, element)
            if ref in found:
                ref = _stranger(element)
            found[ref] = element
        return found

    @cached_property
    def all(self) -> tuple[Ref, ...]:
        """Every live object, of a known kind or not."""
        return (*self.state, *self.unsupported, *self.unknown)

    @cached_property
    def by_name(self) -> Mapping[str, Ref]:
        """Every live object by the ids that are its own: that of its element, or those in a section that is one."""
        found: dict[str, Ref] = {}
        for ref, element in self.elements.items():
            for part in children(element) if ref.kind in _SECTIONS else (element,):
                found[key(part)] = ref
        return found

    def owns(self, ref: Ref) -> bool:
        """Tell whether a live object is recorded as ours; a bag never is, only its values are."""
        return kinds.key(ref) in self.owned

    def label(self, element: ET.Element) -> str:
        """Say what an element is called: as an object, or by its tag and id."""
        ref = self.by_name.get(key(element))
        return str(ref) if ref else f"<{element.tag}> {element.get('id', '')}".rstrip()

    def namers(self, elements: Iterable[ET.Element]) -> str:
        """Say who names something, as the beginning of a sentence: `Order/a and Tag/b name`."""
        labels = list(dict.fromkeys(self.label(element) for element in elements))
        if len(labels) == 1:
            return f"{labels[0]} names"
        more = len(labels) - _FEW
        last = f"{more} more" if more > 0 else labels[-1]
        return f"{', '.join(labels[: _FEW if more > 0 else -1])} and {last} name"

    def own_ids(self, ref: Ref) -> frozenset[str]:
        """Return the ids of a live object and of what is its own in it."""
        return ids(self.elements[ref])

    @cached_property
    def parents(self) -> Mapping[str, Ref]:
        """The container that a resource is in, by the resource's id; containers of no kind too."""
        found = {name: ref for ref, spec in self.state.items() for name in CLUSTER_KINDS[ref.kind].members(spec)}
        for ref in (*self.unsupported, *self.unknown):
            if ref.kind not in CLUSTER_KINDS or CLUSTER_KINDS[ref.kind].tags & CONTAINERS:
                inside = (part for part in children(self.elements[ref]) if part.tag in RESOURCES)
                found.update((part.get("id", ""), ref) for part in inside)
        return found

    @cached_property
    def users(self) -> Users:
        """For an id, the elements that name it and thereby keep it from being deleted."""
        return users(self.cib, loose_tags=dialect.has_loose_tags(dialect.schema(self.cib)))

    @cached_property
    def op_defaults(self) -> frozenset[str]:
        """The names that op_defaults sets, under whatever condition."""
        pairs = (pair for group in self.cib.peek("op_defaults") for pair in group.iter("nvpair"))
        return frozenset(pair.get("name", "") for pair in pairs)

    def recorded_values(self, ref: Ref) -> frozenset[str]:
        """Return the names of an object's shared values that are recorded as ours."""
        return frozenset(name for name, pair in self.shared_ids.get(ref, {}).items() if pair in self.owned)


_BY_TAG = {(kind.section, tag): kind for kind in CLUSTER_KINDS.values() for tag in kind.tags}
_SECTIONS = {kind.name: kind for kind in CLUSTER_KINDS.values() if not kind.tags}
"""The kinds of which a section is the one object."""


def observe(cib: Cib) -> Observed:
    """Read every object of the configuration."""
    reading = _Reading(cib)
    if reading.needs_ids:
        # Seldom: something refers to what is inside an object, whose id then means something.
        reading = _Reading(cib, frozenset(reading.referred))
    return reading.observed()


class _Reading:
    """All objects of a configuration, read in one go; `named` are the ids that something refers to."""

    def __init__(self, cib: Cib, named: frozenset[str] = frozenset()) -> None:
        self._cib, self._named = cib, named
        self._state: dict[Ref, Spec] = {}
        self._unsupported: dict[Ref, str] = {}
        self._unknown: list[Ref] = []
        self._shared_ids: dict[Ref, Mapping[str, str]] = {}
        self._sections: list[str] = []
        self._recorded: frozenset[str] = frozenset()
        self.referred: set[str] = set()
        for section, element in cib.pieces(_SECTIONS_AS_OBJECTS, TAG):
            if element is None:
                self._sections.append(section)
            elif is_record(section, element):
                self._recorded |= recorded_ids(element)
            else:
                self.referred |= referred_by(element)
                for kind, part in _inside(section, element):
                    self._take(kind, part)

    @property
    def needs_ids(self) -> bool:
        """Tell whether something refers to what is no object, and was read without the ids that it needs."""
        return not self.referred <= self._named and not self.referred <= self._keys

    @cached_property
    def _keys(self) -> frozenset[str]:
        return frozenset(kinds.key(ref) for ref in (*self._state, *self._unsupported, *self._unknown))

    def _take(self, kind: ClusterKind | None, element: ET.Element) -> None:
        ref = _ref(kind, element)
        if ref in self._state and element.get("id-ref"):
            return  # who refers twice to the same set says no more than once: Pacemaker heeds the first
        if kind is None or ref in self._state or ref in self._unsupported:
            # Nothing keeps a CIB from listing a node's name twice.
            self._unknown.append(_stranger(element))
            return
        try:
            self._state[ref] = kind.read(element, self._named)
        except ValueError as error:
            self._unsupported[ref] = str(error)
            return
        if kind.shared and (values := kind.shared.ids(element)):
            self._shared_ids[ref] = values

    def observed(self) -> Observed:
        """Return what was read."""
        return Observed(
            self._cib,
            self._state,
            self._unsupported,
            tuple(self._unknown),
            self._owned(),
            self._shared_ids,
            tuple(self._sections),
        )

    def _owned(self) -> frozenset[str]:
        """Return what is recorded and exists, as an object, as a value or as anything else that has an id."""
        there = {kinds.key(ref) for ref in (*self._state, *self._unsupported, *self._unknown)}
        values = {name for ids in self._shared_ids.values() for name in ids.values()}
        rest = self._recorded - there - values
        return self._recorded - {name for name in rest if name not in self._cib.by_id} if rest else self._recorded


def _ref(kind: ClusterKind | None, element: ET.Element) -> Ref:
    return Ref(kind.name, kind.label(element)) if kind else _stranger(element)


def _stranger(element: ET.Element) -> Ref:
    return Ref(str(element.tag), element.get("id", ""))


_BY_SECTION = {kind.section: kind for kind in _SECTIONS.values()}
_SECTIONS_AS_OBJECTS = frozenset(_BY_SECTION)


def each(cib: Cib) -> Iterator[tuple[Ref, ET.Element]]:
    """Yield every object with its element, which is only there until the next one."""
    for section, element in cib.pieces(_SECTIONS_AS_OBJECTS):
        if element is not None:
            yield from ((_ref(kind, part), part) for kind, part in _inside(section, element))


def _objects(cib: Cib) -> Iterator[tuple[ClusterKind | None, ET.Element]]:
    """Yield every object with its kind: what stands in the sections, the resources inside containers."""
    for section in children(cib.configuration):
        name = str(section.tag)
        for element in (section,) if name in _SECTIONS_AS_OBJECTS else children(section):
            yield from _inside(name, element)


def _inside(section: str, element: ET.Element) -> Iterator[tuple[ClusterKind | None, ET.Element]]:
    """Yield what is an object, of what stands in a section, with its kind."""
    if section in _SECTIONS_AS_OBJECTS:
        if next(children(element), None) is not None:
            yield _BY_SECTION[section], element
        return
    if is_record(section, element) or (section, element.get("id")) == (register.SECTION, register.SET):
        return  # what the agents keep for themselves is no object
    yield _BY_TAG.get((section, str(element.tag))), element
    if element.tag in CONTAINERS:
        for inner in element.iter():
            if inner is not element and inner.tag in RESOURCES:
                yield _BY_TAG.get((section, str(inner.tag))), inner
