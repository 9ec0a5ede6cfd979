"""The configuration as it is to be: edits on a copy that shares every untouched element with the live one. Pure."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import field, replace
from xml.etree import ElementTree as ET

from reconciler.cib.document import NAMED_BY_ID, RESOURCES, Cib, children
from reconciler.cib.ownership import records
from reconciler.cib.references import ids
from reconciler.frozen import frozen


@frozen
class Edits:
    """What to change. An element holds everything of its object but the resources inside it.

    `changed` gives live elements what takes their place, `dropped` are those that go, `created` are new ones with the
    section that each belongs to, in the order of creation; a new section as a whole belongs to "". `members` names the
    resources of containers whose members change, in order.
    """

    changed: Mapping[ET.Element, ET.Element] = field(default_factory=dict)
    dropped: frozenset[ET.Element] = frozenset()
    created: Sequence[tuple[str, ET.Element]] = ()
    members: Mapping[str, Sequence[str]] = field(default_factory=dict)


def recording(cib: Cib, owned: set[str] | frozenset[str], edits: Edits, *, fleeting: bool = False) -> Edits:
    """Return the edits of a CIB with those that make it record exactly `owned`."""
    for record in records(cib, owned, fleeting=fleeting):
        if record.wanted is record.live:
            continue
        if record.wanted is None:
            edits = replace(edits, dropped=edits.dropped | ({record.live} if record.live is not None else set()))
        elif record.live is None:
            made = created_behind(cib, record.section, record.wanted, edits.created)
            edits = replace(edits, created=[*edits.created, *made])
        else:
            edits = replace(edits, changed={**edits.changed, record.live: record.wanted})
    return edits


def created_behind(
    cib: Cib, section: str, made: ET.Element, created: Sequence[tuple[str, ET.Element]] = ()
) -> list[tuple[str, ET.Element]]:
    """Return what to create for something of the agents' own: of property sets never the first, as pcs writes to that.

    `created` is what the same edits create before it.
    """
    alone = next(cib.objects(section), None) is None and all(where != section for where, _ in created)
    first = ET.Element("cluster_property_set", {"id": _FIRST})
    return [*([(section, first)] if alone and made.tag == first.tag else []), (section, made)]


_FIRST = "cib-bootstrap-options"
"""The set that Pacemaker and all tools write to; it exists in every cluster that has ever had a DC."""


def draft(cib: Cib, edits: Edits) -> ET.Element:
    """Return the edited `<configuration>`. Resources that no container claims stand at the top, new ones last."""
    sections: dict[str, list[ET.Element]] = {}
    inside = _Resources(cib, edits)
    for section, element in edits.created:
        name = element.get("id", "")
        if section != "resources":
            sections.setdefault(section, []).append(element)
        elif name not in inside.claimed:
            sections.setdefault(section, []).append(inside.build(name))
    for name in inside.hoisted():
        sections.setdefault("resources", []).insert(0, inside.build(name))
    whole = {element.tag: element for element in sections.pop("", [])}
    configuration = ET.Element("configuration", cib.configuration.attrib)
    for live in cib.configuration:
        if live in edits.dropped:
            continue
        new = edits.changed.get(live, whole.pop(live.tag, None))
        if new is None:
            added = sections.pop(live.tag, []) if isinstance(live.tag, str) else []
            new = _section(live, edits, inside, added)
        configuration.append(new)
    for tag, added in sections.items():
        ET.SubElement(configuration, tag).extend(added)
    configuration.extend(whole.values())
    return configuration


def _section(section: ET.Element, edits: Edits, inside: "_Resources", new: Sequence[ET.Element]) -> ET.Element:
    result = []
    for element in section:
        if element in edits.dropped:
            continue
        if section.tag == "resources" and isinstance(element.tag, str):
            name = element.get("id", "")
            result += [inside.build(name)] if name not in inside.claimed else []
        else:
            result.append(edits.changed.get(element, element))
    result += new
    if len(result) == len(section) and all(now is before for now, before in zip(result, section, strict=True)):
        return section
    copy = ET.Element(section.tag, section.attrib)
    copy.extend(result)
    return copy


def rename_taken(
    written: ET.Element, live: ET.Element | None, taken: set[str], said: frozenset[str] = frozenset()
) -> ET.Element:
    """Give ids inside a new element that somebody else has already another name, and add all its ids to `taken`.

    What was taken over from `live` keeps its ids, and so do parts whose ids are `said` in a manifest; the element's own
    id is its name and stays. It is returned, as a copy if parts with another name may be those of `live` itself.
    """
    kept = set(said | ids(live) if live is not None else said)
    renamed: dict[int, str] = {}
    for place, part in enumerate(written.iter()):
        name = part.get("id")
        if part is written or name is None or part.tag in NAMED_BY_ID:
            continue
        if name in kept:
            kept.remove(name)
            continue
        number = 0
        while name in taken:
            number += 1
            name = f"{part.get('id')}-{number}"
        if number:
            renamed[place] = name
        taken.add(name)
    if renamed and live is not None:
        written = deepcopy(written)
    for place, part in enumerate(written.iter() if renamed else ()):
        if place in renamed:
            part.set("id", renamed[place])
    return written


class _Resources:
    """The tree of resources: who is inside whom, before and after."""

    def __init__(self, cib: Cib, edits: Edits) -> None:
        self._edits = edits
        self._dropped = frozenset(element.get("id", "") for element in edits.dropped if element.tag in RESOURCES)
        self._new = {element.get("id", ""): element for section, element in edits.created if section == "resources"}
        self._live: dict[str, ET.Element] = {}
        self._inside: dict[str, str] = {}
        for top in cib.objects("resources"):
            self._index(top)
        self._moved = frozenset(name for container in edits.members.values() for name in container)
        self._gone = self._dropped | self._moved
        self.claimed = set(self._moved)
        for name, parent in self._inside.items():
            if parent not in edits.members and parent not in self._dropped:
                self.claimed.add(name)

    def _index(self, element: ET.Element) -> None:
        self._live[element.get("id", "")] = element
        for child in children(element):
            if child.tag in RESOURCES:
                self._inside[child.get("id", "")] = element.get("id", "")
                self._index(child)

    def hoisted(self) -> list[str]:
        """Return the live resources that leave their container for the top, last first."""
        return [name for name in reversed(self._inside) if name not in self.claimed and name not in self._dropped]

    def build(self, name: str) -> ET.Element:
        """Return the resource with its members as they are to be: the live element itself if nothing in it changes."""
        live = self._live.get(name)
        own = self._new[name] if live is None else self._edits.changed.get(live, live)
        before = [child for child in children(live) if child.tag in RESOURCES]
        names = self._edits.members.get(name)
        if names is None:
            names = [inner for child in before if (inner := child.get("id", "")) not in self._gone]
        after = [self.build(member) for member in names]
        if own is live and len(before) == len(after) and all(map(_is, before, after)):
            return own
        built = ET.Element(own.tag, own.attrib)
        if own is live and [child.get("id") for child in before] == [*names]:
            # What stands around the members stays there, as pcs puts sets behind them: nothing is to be moved.
            edited = dict(zip(before, after, strict=True))
            built.extend(edited.get(child, child) for child in live)
            return built
        remarks = _remarks(live)
        leading = {id(remark) for member in after for remark in remarks.get(member.get("id", ""), ())}
        built.extend(child for child in own if child.tag not in RESOURCES and id(child) not in leading)
        for member in after:
            built.extend([*remarks.get(member.get("id", ""), ()), member])
        return built


def _remarks(container: ET.Element | None) -> Mapping[str, list[ET.Element]]:
    """Return the comments that stand before each member of a container: they are about it, and stay before it."""
    found: dict[str, list[ET.Element]] = {}
    since: list[ET.Element] = []
    for child in container if container is not None else ():
        if not isinstance(child.tag, str):
            since.append(child)
        else:
            if child.tag in RESOURCES:
                found[child.get("id", "")] = since
            since = []
    return found


def _is(one: ET.Element, other: ET.Element) -> bool:
    return one is other
