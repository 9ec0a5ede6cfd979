"""What the CIB holds, in the kinds' own words. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from xml.etree import ElementTree as ET

from reconciler import kinds
from reconciler.cib import dialect, register
from reconciler.cib.document import CONTAINERS, RESOURCES, Cib, children, key
from reconciler.cib.ownership import TAG, owned_ids
from reconciler.cib.references import Users, referred, users
from reconciler.kinds import CLUSTER_KINDS
from reconciler.kinds.base import ClusterKind
from reconciler.secret import Secret
from reconciler.state import Ref, Spec, State

_FEW = 4
"""So many are named in one message."""


@dataclass(frozen=True)
class Observed:
    """The configuration as objects: what each says, its element, and which ids are recorded as ours.

    `unsupported` are objects whose kind is known but which say something that it cannot express; `unknown` are objects
    of no kind, by the name of their element. Neither is ever touched. `secrets` are the values in it that are never
    shown, once they have been closed.
    """

    cib: Cib
    state: State = field(repr=False)  # what nobody has closed yet would be in it
    elements: Mapping[Ref, ET.Element]
    unsupported: Mapping[Ref, str]
    unknown: tuple[Ref, ...]
    owned: frozenset[str]
    secrets: tuple[Secret, ...] = ()

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

    @cached_property
    def parents(self) -> Mapping[str, Ref]:
        """The container that a resource is in, by the resource's id; containers of no kind too."""
        containers = ((ref, element) for ref, element in self.elements.items() if element.tag in CONTAINERS)
        return {
            inner.get("id", ""): ref
            for ref, element in containers
            for inner in children(element)
            if inner.tag in RESOURCES
        }

    @cached_property
    def users(self) -> Users:
        """For an id, the elements that name it and thereby keep it from being deleted."""
        return users(self.cib, loose_tags=dialect.has_loose_tags(dialect.schema(self.cib)))

    @cached_property
    def op_defaults(self) -> frozenset[str]:
        """The names that op_defaults sets, under whatever condition."""
        pairs = (pair for group in self.cib.objects("op_defaults") for pair in group.iter("nvpair"))
        return frozenset(pair.get("name", "") for pair in pairs)

    def recorded_values(self, ref: Ref) -> frozenset[str]:
        """Return the names of an object's shared values that are recorded as ours."""
        shared, element = CLUSTER_KINDS[ref.kind].shared, self.elements.get(ref)
        if shared is None or element is None:
            return frozenset()
        return frozenset(name for name, pair in shared.ids(element).items() if pair in self.owned)


_OWN_RECORDS = {("tags", TAG), (register.SECTION, register.SET)}
"""What the agents keep for themselves is no object."""

_BY_TAG = {(kind.section, tag): kind for kind in CLUSTER_KINDS.values() for tag in kind.tags}
_SECTIONS = {kind.name: kind for kind in CLUSTER_KINDS.values() if not kind.tags}
"""The kinds of which a section is the one object."""


def observe(cib: Cib) -> Observed:
    """Read every object of the configuration."""
    state: dict[Ref, Spec] = {}
    elements: dict[Ref, ET.Element] = {}
    unsupported: dict[Ref, str] = {}
    unknown: list[Ref] = []
    named = referred(cib)
    for kind, element in _objects(cib):
        ref = Ref(kind.name, kind.label(element)) if kind else _stranger(element)
        if kind is None or ref in elements:  # nothing keeps a CIB from listing a node's name twice
            unknown.append(_stranger(element))
            elements[_stranger(element)] = element
            continue
        elements[ref] = element
        try:
            state[ref] = kind.read(element, named)
        except ValueError as error:
            unsupported[ref] = str(error)
    return Observed(cib, state, elements, unsupported, tuple(unknown), owned_ids(cib))


def _stranger(element: ET.Element) -> Ref:
    return Ref(str(element.tag), element.get("id", ""))


def _objects(cib: Cib) -> Iterator[tuple[ClusterKind | None, ET.Element]]:
    """Yield every object with its kind: what stands in the sections, the resources inside containers."""
    whole = {kind.section: kind for kind in _SECTIONS.values()}
    for section in children(cib.configuration):
        name = str(section.tag)
        if name in whole:
            if next(children(section), None) is not None:
                yield whole[name], section
            continue
        for element in children(section):
            if (name, element.get("id")) in _OWN_RECORDS:
                continue
            yield _BY_TAG.get((name, str(element.tag))), element
            if element.tag in CONTAINERS:
                for inner in element.iter():
                    if inner is not element and inner.tag in RESOURCES:
                        yield _BY_TAG.get((name, str(inner.tag))), inner
