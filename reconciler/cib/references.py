"""Which ids the elements of a CIB name. Pure; knows no kinds.

Sources: the attributes of type IDREF in Pacemaker's schemas (`/usr/share/pacemaker/*.rng`), and `devices` of a
fencing level, which names STONITH resources though the schema does not check it.
"""

from collections.abc import Iterator, Mapping
from xml.etree import ElementTree as ET

from reconciler.cib.document import NAMED_APART, NAMED_BY_ID, RESOURCES, Cib, children
from reconciler.cib.ownership import TAG

_NO_IDS = NAMED_BY_ID | frozenset(NAMED_APART)
_NAMING = ("rsc", "with-rsc", "first", "then", "id-ref", "reference", "ref", "template")

_REFERRING = ("id-ref", "reference", "ref")

Users = Mapping[str, tuple[ET.Element, ...]]
"""For an id, the elements that name it: resources and what stands directly in another section."""


def own(element: ET.Element) -> Iterator[ET.Element]:
    """Yield an element and what is inside it, but not the resources inside it."""
    yield element
    for child in children(element):
        if child.tag not in RESOURCES:
            yield from child.iter()


def ids(element: ET.Element) -> frozenset[str]:
    """Return the ids that an element and what is its own define."""
    return frozenset(part.get("id", "") for part in own(element) if part.tag not in _NO_IDS and part.get("id"))


def named(element: ET.Element) -> frozenset[str]:
    """Return the ids that an element and what is its own name; of a container, its members too."""
    found = {child.get("id", "") for child in children(element) if child.tag in RESOURCES}
    for part in own(element):
        found.update(name for attribute in _NAMING if (name := part.get(attribute)))
        if part.tag in NAMED_BY_ID:
            found.add(part.get("id", ""))
        elif part.tag == "fencing-level":
            found.update(part.get("devices", "").split(","))
    return frozenset(found)


def referring(element: ET.Element) -> frozenset[str]:
    """Return the ids by which an element and what is its own refer to what is in other elements."""
    return frozenset(name for part in own(element) for attribute in _REFERRING if (name := part.get(attribute)))


def referred_by(element: ET.Element) -> frozenset[str]:
    """Return the ids by which what stands in a section refers to others or to what is in them; our own record's not."""
    found = {name for part in element.iter() for attribute in _REFERRING if (name := part.get(attribute))}
    if element.tag == "tag" and element.get("id") != TAG:
        found.update(child.get("id", "") for child in children(element))
    return frozenset(found)


def users(cib: Cib, *, loose_tags: bool) -> Users:
    """Return who names what in the configuration, our own record left out.

    Args:
        cib: the configuration.
        loose_tags: the schema lets tags name what is not there, so a tag keeps nobody in place.
    """
    found: dict[str, list[ET.Element]] = {}
    for section in children(cib.configuration):
        for element in children(section):
            if element.tag == "tag" and (loose_tags or element.get("id") == TAG):
                continue
            for user in _resources(element) if element.tag in RESOURCES else (element,):
                for name in named(user):
                    found.setdefault(name, []).append(user)
    return {name: tuple(elements) for name, elements in found.items()}


def _resources(element: ET.Element) -> Iterator[ET.Element]:
    yield element
    for child in children(element):
        if child.tag in RESOURCES:
            yield from _resources(child)
