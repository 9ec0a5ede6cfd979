"""Which objects are ours: a tag in the CIB, so that every node knows, and it survives any agent. Pure.

`<tag id="reconciler-owned">` refers to the ids of the objects that an agent created or adopted (of shared bags: the ids
of the values). crm and pcs show it as an ordinary tag; deleting an object by hand leaves at worst a reference to
nothing, which Pacemaker allows and the next change cleans up.
"""

from collections.abc import Iterable
from xml.etree import ElementTree as ET

from reconciler.cib.document import Cib, children

TAG = "reconciler-owned"


def owned_ids(cib: Cib) -> frozenset[str]:
    """Return the recorded ids that exist in the configuration."""
    tag = _live_tag(cib)
    return frozenset(name for ref in children(tag) if (name := ref.get("id")) in cib.by_id and name)


def _live_tag(cib: Cib) -> ET.Element | None:
    return next((tag for tag in cib.objects("tags") if tag.get("id") == TAG), None)


def record(cib: Cib, owned: Iterable[str]) -> ET.Element | None:
    """Return the tag that records exactly `owned`: the live one if it does, None if there is nothing to record."""
    wanted = set(owned)
    live = _live_tag(cib)
    refs = list(children(live))
    if live is not None and {ref.get("id") for ref in refs} == wanted:
        return live
    if not wanted:
        return None
    tag = ET.Element("tag", {"id": TAG})
    kept = [ref for ref in refs if ref.get("id") in wanted]
    tag.extend(kept)
    for name in sorted(wanted - {ref.get("id") for ref in kept}):
        ET.SubElement(tag, "obj_ref", {"id": name})
    return tag
