"""Which objects break the schema, and what in them, found by asking the validator about small documents. Pure.

libxml2 stops at the first element that it cannot place, and then complains of another: of an operation's `on-fail` that
the schema does not know it says that `meta_attributes` were expected, and names a resource that stands before it. So
every object is asked about alone, and of one that is refused all parts are left out in turn: what makes it valid is
what is wrong. The questions are documents in, answers out; `host.schema` carries them to crm_verify(8).
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar
from xml.etree import ElementTree as ET

from reconciler.cib.document import RESOURCES, children, serialize
from reconciler.frozen import frozen

MARKER = "reconciler-nobody"
"""An id that nobody has. Every document refers to it: what says so has been validated, and crm_verify goes no further,
which saves it most of its time."""

_SECTIONS = ("crm_config", "nodes", "resources", "constraints")
"""Those that every schema wants."""

_MOST_AT_ONCE = 60
_MOST_NARROWED = 8

Answer = str | None
"""Of a document: empty if it is valid, else what the validator said of it; None if nobody knows."""

_ResultT = TypeVar("_ResultT")
Search = Generator[Sequence[str], Sequence[Answer], _ResultT]
"""Yields documents, is sent the answers in the same order, returns what it found."""


@frozen
class Suspect:
    """An object that may be wrong: its element, and the section that it stands in, empty if it is a section itself.

    Resources inside it are replaced by plain ones: they are asked about by themselves.
    """

    section: str
    element: ET.Element

    @property
    def tag(self) -> str:
        """The section."""
        return self.section or str(self.element.tag)


@frozen
class Culprit:
    """What is wrong with a suspect.

    Attributes:
        suspect: which one, by its place among those asked about.
        place: the element that is wrong or has a wrong attribute; None if the schema lacks the whole section.
        attributes: those of it that are wrong; empty if it is the element.
        whole: the suspect's element, as far as it matters here.
        without: the same without what is wrong, valid; None if nothing that was left out made it valid.
        said: the validator's words of the suspect alone.
    """

    suspect: int
    place: ET.Element | None = None
    attributes: tuple[str, ...] = ()
    whole: ET.Element | None = None
    without: ET.Element | None = None
    said: str = ""


def stripped(element: ET.Element) -> ET.Element:
    """Return an object's element with plain primitives instead of the resources inside it, and without comments."""
    copy = ET.Element(element.tag, element.attrib)
    for child in children(element):
        if child.tag in RESOURCES:
            plain = {"id": child.get("id", ""), "class": "ocf", "provider": "heartbeat", "type": "Dummy"}
            ET.SubElement(copy, "primitive", plain)
        else:
            copy.append(child)
    return copy


def document(root: Mapping[str, str], suspects: Sequence[Suspect]) -> str:
    """Return a CIB with the attributes of `root`, these objects, and nothing else."""
    cib = ET.Element("cib", dict(root))
    configuration = ET.SubElement(cib, "configuration")
    sections = {tag: ET.SubElement(configuration, tag) for tag in _SECTIONS}
    marker = {"id": MARKER, "first": MARKER + "-first", "then": MARKER + "-then"}
    ET.SubElement(sections["constraints"], "rsc_order", marker)
    for suspect in suspects:
        if not suspect.section:
            configuration.append(suspect.element)
            continue
        if suspect.section not in sections:
            sections[suspect.section] = ET.SubElement(configuration, suspect.section)
        sections[suspect.section].append(suspect.element)
    ET.SubElement(cib, "status")
    return serialize(cib)


def search(root: Mapping[str, str], suspects: Sequence[Suspect]) -> Search[tuple[Culprit, ...]]:
    """Find those that are wrong by themselves, and what in each. Attributes of `root` name the schema.

    What cannot be found out is left open: a suspect of whom nobody knows is not accused, of a culprit without a place
    in it the whole element is named.
    """
    tags = list(dict.fromkeys(suspect.tag for suspect in suspects))
    answers = yield [document(root, [Suspect("", ET.Element(tag))] if tag not in _SECTIONS else []) for tag in tags]
    lacking = {tag for tag, answer in zip(tags, answers, strict=True) if answer}
    found = [Culprit(index) for index, suspect in enumerate(suspects) if suspect.tag in lacking]
    rest = [index for index, suspect in enumerate(suspects) if suspect.tag not in lacking]
    guilty = yield from _guilty(root, suspects, rest)
    for number, (index, said) in enumerate(guilty.items()):
        suspect = suspects[index]
        if number >= _MOST_NARROWED:
            found.append(Culprit(index, suspect.element, whole=suspect.element, said=said))
            continue
        ask = _asking(root, suspect.section)
        found += yield from _narrowed(ask, _Case(index, suspect.element, (), said))
    return tuple(sorted(found, key=lambda culprit: culprit.suspect))


def allowing(root: Mapping[str, str], suspects: Sequence[Suspect], schemas: Sequence[str]) -> Search[str | None]:
    """Return the first of these schemas that allows all of the objects; None if none is known to."""
    answers = yield [document({**root, "validate-with": schema}, suspects) for schema in schemas]
    return next((schema for schema, answer in zip(schemas, answers, strict=True) if answer == ""), None)


def _guilty(root: Mapping[str, str], suspects: Sequence[Suspect], among: Sequence[int]) -> Search[dict[int, str]]:
    """Find the invalid ones: many are asked about together first."""
    found: dict[int, str] = {}
    size = max(1, -(-len(among) // _MOST_AT_ONCE))
    groups = _groups(among, size)
    while groups:
        answers = yield [document(root, [suspects[index] for index in group]) for group in groups]
        wrong = [(group, answer) for group, answer in zip(groups, answers, strict=True) if answer]
        found |= {group[0]: answer for group, answer in wrong if len(group) == 1}
        left = [index for group, _ in wrong if len(group) > 1 for index in group]
        size = min(max(1, size // 2), max(1, -(-len(left) // _MOST_AT_ONCE)))
        groups = _groups(left, size)
    return dict(sorted(found.items()))


def _groups(items: Sequence[int], size: int) -> list[Sequence[int]]:
    return [items[at : at + size] for at in range(0, len(items), size)]


@frozen
class _Case:
    """An invalid element inside a suspect: the suspect's element, the way there by the places of children."""

    suspect: int
    whole: ET.Element
    path: tuple[int, ...]
    said: str

    @property
    def here(self) -> ET.Element:
        element = self.whole
        for place in self.path:
            element = element[place]
        return element

    def having(self, new: ET.Element) -> ET.Element:
        """Return the suspect's element with another one here."""
        return _replaced(self.whole, self.path, new)

    def culprit(self, attributes: tuple[str, ...] = (), without: ET.Element | None = None) -> Culprit:
        return Culprit(self.suspect, self.here, attributes, self.whole, without, self.said)


_Ask = Callable[[ET.Element], str]


def _asking(root: Mapping[str, str], section: str) -> _Ask:
    return lambda element: document(root, [Suspect(section, element)])


def _narrowed(ask: _Ask, case: _Case) -> Search[list[Culprit]]:
    """Find what in an invalid element is wrong: attributes, children, or the element as such."""
    here = case.here
    names = [name for name in here.keys() if name != "id"]  # noqa: SIM118 - an element is no mapping
    places = [place for place, child in enumerate(here) if child.tag not in RESOURCES]
    older = list(_older(here))
    bare = _less(here, children_=places)
    variants = {
        "bare": [bare],
        "without name": [_less(here, names=[name]) for name in names],
        "without child": [_less(here, children_=[place]) for place in places],
        "alone": [_less(here, children_=_others(places, place)) for place in places],
        "bare without name": [_less(bare, names=[name]) for name in names],
        "older": [variant for _, _, variant in older],
    }
    if sum(map(len, variants.values())) > _MOST_AT_ONCE:
        return [case.culprit()]
    answers = iter((yield [ask(case.having(new)) for group in variants.values() for new in group]))
    said = {question: [next(answers) for _ in group] for question, group in variants.items()}
    mended = tuple(name for name, answer in zip(names, said["without name"], strict=True) if answer == "")
    if mended:
        return [case.culprit(mended, case.having(_less(here, names=mended[:1])))]
    if "" in said["without child"]:
        return (yield from _inside(ask, case, places[said["without child"].index("")]))
    if "" in said["older"]:
        late, child, variant = older[said["older"].index("")]
        found = case if child is None else replace(case, path=(*case.path, child))
        return [found.culprit(late, case.having(variant))]
    faulty = {place: answer for place, answer in zip(places, said["alone"], strict=True) if answer}
    if faulty and (said["bare"] == [""] or "" in said["alone"]):
        return (yield from _each(ask, case, places, faulty))
    return (
        yield from _both(
            ask, case, [name for name, answer in zip(names, said["bare without name"], strict=True) if answer == ""]
        )
    )


def _each(ask: _Ask, case: _Case, places: Sequence[int], faulty: Mapping[int, str]) -> Search[list[Culprit]]:
    """Look into several children that are wrong, each by itself; where they are not all that is, it is the element."""
    [answer] = yield [ask(case.having(_less(case.here, children_=list(faulty))))]
    if answer != "":
        return [case.culprit()]
    found = []
    for place, said in faulty.items():
        others = _others(places, place)
        lonely = _Case(case.suspect, case.having(_less(case.here, children_=others)), case.path, said)
        found += yield from _inside(ask, lonely, place - sum(other < place for other in others))
    return found


def _others(places: Sequence[int], place: int) -> list[int]:
    return [other for other in places if other != place]


def _older(element: ET.Element) -> Iterator[tuple[tuple[str, ...], int | None, ET.Element]]:
    """Yield the element with what all schemas know in the place of a later alternative to it.

    Comes with the attributes, or the place of the child, that are no more.
    """
    for names, name in _ALTERNATIVES.items():
        if all(part in element.attrib for part in names):
            older = _less(element, names)
            older.set(name, MARKER)
            yield names, None, older
    for place, child in enumerate(element):
        if child.tag in _CONTAINERS:
            docker = _less(child)
            docker.tag = "docker"
            yield (), place, _replaced(element, (place,), docker)


_ALTERNATIVES = {
    ("rsc-pattern",): "rsc",
    ("target-attribute", "target-value"): "target",
}
"""Attributes that came later than the one whose place they take."""

_CONTAINERS = frozenset({"podman", "rkt"})
"""Elements that came later than `<docker>`, of which a bundle needs one."""


def _both(ask: _Ask, case: _Case, names: Sequence[str]) -> Search[list[Culprit]]:
    """Go on where an attribute is wrong and something inside is too; else look for one attribute, however deep."""
    if not names:
        return (yield from _deep(ask, case))
    fixed = case.having(_less(case.here, names=names[:1]))
    rest = yield from _narrowed(ask, _Case(case.suspect, fixed, case.path, case.said))
    return [case.culprit((names[0],), fixed), *rest]


def _deep(ask: _Ask, case: _Case) -> Search[list[Culprit]]:
    """Find the attribute that is wrong inside what cannot be left out; where there is none, it is the element."""
    inner = [
        (part, name)
        for path in _paths(case.here)
        for part in [replace(case, path=(*case.path, *path))]
        for name in part.here.keys()  # noqa: SIM118 - an element is no mapping
        if name != "id"
    ]
    if not inner or len(inner) > _MOST_AT_ONCE:
        return [case.culprit()]
    variants = [part.having(_less(part.here, names=[name])) for part, name in inner]
    answers = yield [ask(variant) for variant in variants]
    found = zip(inner, variants, answers, strict=True)
    return next(([part.culprit((name,), new)] for (part, name), new, answer in found if answer == ""), [case.culprit()])


def _paths(element: ET.Element) -> Iterator[tuple[int, ...]]:
    """Yield the ways to all elements inside one that are its own."""
    for place, child in enumerate(element):
        if child.tag not in RESOURCES:
            yield (place,)
            yield from ((place, *path) for path in _paths(child))


def _inside(ask: _Ask, case: _Case, place: int) -> Search[list[Culprit]]:
    """Look into a child without which all is well; where nothing in it is found, it is the child."""
    inner = _Case(case.suspect, case.whole, (*case.path, place), case.said)
    found = yield from _narrowed(ask, inner)
    if any(culprit.without is None for culprit in found):
        return [inner.culprit(without=case.having(_less(case.here, children_=[place])))]
    return found


def _less(element: ET.Element, names: Sequence[str] = (), children_: Sequence[int] = ()) -> ET.Element:
    """Return a copy without these attributes, and without the children at these places."""
    copy = ET.Element(element.tag, {name: value for name, value in element.items() if name not in names})
    copy.text = element.text
    copy.extend(child for place, child in enumerate(element) if place not in children_)
    return copy


def _replaced(element: ET.Element, path: Sequence[int], new: ET.Element) -> ET.Element:
    if not path:
        return new
    copy = _less(element)
    copy[path[0]] = _replaced(element[path[0]], path[1:], new)
    return copy
