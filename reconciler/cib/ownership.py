"""Which objects are ours: a tag in the CIB, so that every node knows, and it survives any agent. Pure.

`<tag id="reconciler-owned">` refers to the ids of the objects that an agent created or adopted (of shared bags: the ids
of the values). crm and pcs show it as an ordinary tag; deleting an object by hand leaves at worst a reference to
nothing, which Pacemaker allows and the next change cleans up.
"""

from collections.abc import Iterable, Iterator
from xml.etree import ElementTree as ET

from reconciler.cib.document import Cib, children

TAG = "reconciler-owned"
RECORD_SECTION = "tags"


def recorded_ids(tag: ET.Element | None) -> frozenset[str]:
    """Return the ids that the tag records, whether they exist or not; a tag that was only listed has them as words."""
    words = (tag.text or "").split() if tag is not None else []
    return frozenset([*words, *(name for ref in children(tag) if (name := ref.get("id")))])


def live_record(cib: Cib) -> ET.Element | None:
    """Return the tag, if there is one."""
    return next((tag for tag in cib.objects(RECORD_SECTION) if tag.get("id") == TAG), None)


def record(cib: Cib, owned: set[str] | frozenset[str], *, fleeting: bool = False) -> ET.Element | None:
    """Return the tag that records exactly `owned`: the live one if it does, None if there is nothing to record.

    A new one may be `fleeting`, where it is only compared and written down.
    """
    live = live_record(cib)
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
