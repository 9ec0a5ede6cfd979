"""Which objects are ours: a tag in the CIB, so that every node knows, and it survives any agent. Pure.

`<tag id="reconciler-owned">` refers to the ids of the objects that an agent created or adopted (of shared bags: the ids
of the values). crm and pcs show it as an ordinary tag; deleting an object by hand leaves at worst a reference to
nothing, which Pacemaker allows and the next change cleans up.

What the CIB's schema lets no tag name (before pacemaker-1.3 anything, before 3.3 what is no XML id, as a user) is in a
property set instead, `reconciler-owned-untagged`, a pair for each. Pacemaker ignores options that it does not know;
one that somebody else puts there stays. After an upgrade of the schema the next change brings it into the tag.
"""

import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from xml.etree import ElementTree as ET

from reconciler.cib.dialect import has_loose_tags, has_tags, schema
from reconciler.cib.document import Cib, children
from reconciler.frozen import frozen

TAG = "reconciler-owned"
UNTAGGED = "reconciler-owned-untagged"
RECORDS = {TAG: "tag", UNTAGGED: "cluster_property_set"}
"""The ids of both, and the tags of their elements."""

TAGS = "tags"
_PROPERTIES = "crm_config"
_PAIR = f"{UNTAGGED}-"
_NO_ID = re.compile(r"[^\w.-]", re.ASCII)


@frozen
class Record:
    """One of the two places: its section, what is there, and what is to be there; the same if nothing changes."""

    section: str
    live: ET.Element | None
    wanted: ET.Element | None


def is_record(section: str, element: ET.Element) -> bool:
    """Tell whether something in a section of the configuration is where ownership is recorded."""
    name = element.get("id", "")
    return RECORDS.get(name) == element.tag and section == (TAGS if name == TAG else _PROPERTIES)


def recorded_ids(record: ET.Element | None) -> frozenset[str]:
    """Return the ids that a record names, whether they exist or not; a tag that was only listed has them as words."""
    words = (record.text or "").split() if record is not None else []
    return frozenset([*words, *(name for part in children(record) if (name := _name(part)))])


def _name(part: ET.Element) -> str:
    """Return what a part of a record names; nothing if it is somebody else's option."""
    if part.tag == "nvpair":
        return part.get("value", "") if part.get("name", "").startswith(_PAIR) else ""
    return part.get("id", "") if part.tag == "obj_ref" else ""


def are_tagged(cib: Cib, owned: Iterable[str]) -> bool:
    """Tell whether the tag alone is to record these, and records all that is recorded now."""
    return not _untagged(cib, owned) and not cib.mentions(UNTAGGED)


def _untagged(cib: Cib, owned: Iterable[str]) -> frozenset[str]:
    """Return what no tag can name; an id that has a colon is none that XML knows (see `document.key`)."""
    version = schema(cib)
    if has_loose_tags(version):
        return frozenset()
    return frozenset(name for name in owned if ":" in name or not has_tags(version))


def records(cib: Cib, owned: set[str] | frozenset[str], *, fleeting: bool = False) -> Iterator[Record]:
    """Yield what there is of the record and what it is to be, so that it names exactly `owned`.

    A new tag may be `fleeting`, where it is only compared and written down.
    """
    untagged = _untagged(cib, owned)
    live = _live(cib, TAGS)
    yield Record(TAGS, live, _tag(live, owned - untagged, fleeting=fleeting))
    live = _live(cib, _PROPERTIES)
    yield Record(_PROPERTIES, live, _set(live, untagged))


def _live(cib: Cib, section: str) -> ET.Element | None:
    return next((element for element in cib.objects(section) if is_record(section, element)), None)


def _tag(live: ET.Element | None, owned: set[str] | frozenset[str], *, fleeting: bool) -> ET.Element | None:
    refs = list(children(live))
    if live is not None and {ref.get("id") for ref in refs} == owned:
        return live
    if not owned:
        return None
    if live is None and fleeting:
        return _Fleeting(owned)
    tag = ET.Element("tag", {"id": TAG})
    kept = [ref for ref in refs if ref.get("id") in owned]
    tag.extend(kept)
    there = {ref.get("id") for ref in kept}
    for name in sorted(name for name in owned if name not in there):
        ET.SubElement(tag, "obj_ref", {"id": name})
    return tag


def _set(live: ET.Element | None, owned: frozenset[str]) -> ET.Element | None:
    there = recorded_ids(live)
    if live is not None and there == owned:
        return live
    made = ET.Element("cluster_property_set", {"id": UNTAGGED})
    made.extend(part for part in children(live) if not _name(part) or _name(part) in owned)
    for name in sorted(owned - there):
        own = _PAIR + _as_id(name)
        ET.SubElement(made, "nvpair", {"id": own, "name": own, "value": name})
    return made if len(made) else None


def _as_id(name: str) -> str:
    """Make a part of an id of a name; two that differ only in what no id may hold stay two."""
    word = _NO_ID.sub("-", name)
    return word if word == name else f"{word}-{sha256(name.encode()).hexdigest()[:8]}"


class _Fleeting(ET.Element):
    """A tag that makes its references when they are asked for: thousands of elements take more than all else.

    Only its length and its children are told so: what goes through whole trees (`iter`, `find`) passes over them.
    """

    def __init__(self, owned: Iterable[str]) -> None:
        super().__init__("tag", {"id": TAG})
        self._owned = sorted(owned)

    def __len__(self) -> int:
        return len(self._owned)

    def __iter__(self) -> Iterator[ET.Element]:
        return (ET.Element("obj_ref", {"id": name}) for name in self._owned)
