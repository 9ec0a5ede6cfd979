"""A text in the language of crmsh's `configure` -> a CIB. Pure.

Follows crmsh 4.4.1 (its manual, section `configure`, and what its shell makes of a text), with these exceptions, made
because people's files are so: several statements for one set of properties are put together, of which the last value
counts (crm refuses them in one load); `inf` is INFINITY wherever a score stands; a fencing topology without targets is
for the nodes that the text names; XML may hold the resources inside a container or name them.
"""

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from xml.etree import ElementTree as ET

from reconciler.cib.document import CONTAINERS, NAMED_BY_ID, key
from reconciler.cib.references import own
from reconciler.crm import access, constraints, containers, options, others, resources
from reconciler.crm.ids import give_ids
from reconciler.crm.lines import Statement, split, statements
from reconciler.crm.words import Words
from reconciler.frozen import frozen
from reconciler.kinds.base import fresh_id
from reconciler.reading import Fault, Reading, Remark, StatementError, concealed, configuration, document, fault

_READERS: Mapping[str, Callable[[Words], ET.Element]] = {
    "node": options.node,
    "property": options.properties,
    "rsc_defaults": options.resource_defaults,
    "op_defaults": options.operation_defaults,
    "primitive": resources.primitive,
    "rsc_template": resources.template,
    "group": resources.group,
    "clone": resources.clone,
    "ms": resources.master,
    "master": resources.master,
    "bundle": resources.bundle,
    "monitor": resources.monitor,
    "location": constraints.location,
    "colocation": constraints.colocation,
    "collocation": constraints.colocation,
    "order": constraints.order,
    "rsc_ticket": constraints.ticket,
    "fencing_topology": others.fencing_topology,
    "fencing-topology": others.fencing_topology,
    "role": access.role,
    "user": access.user,
    "acl_target": access.target,
    "acl_group": access.group,
    "tag": others.tag,
    "alert": others.alert,
}
KEYWORDS = frozenset({*_READERS, "xml"})

_SECTIONS = {
    "node": "nodes",
    "primitive": "resources",
    "template": "resources",
    "group": "resources",
    "clone": "resources",
    "master": "resources",
    "bundle": "resources",
    "rsc_location": "constraints",
    "rsc_colocation": "constraints",
    "rsc_order": "constraints",
    "rsc_ticket": "constraints",
    "acl_role": "acls",
    "acl_target": "acls",
    "acl_user": "acls",
    "acl_group": "acls",
    "tag": "tags",
    "alert": "alerts",
}
_FENCING = "fencing-topology"
_DEFAULTS = ("rsc_defaults", "op_defaults")
_OF_OPERATIONS = frozenset({"timeout", "on-fail", "record-pending", "interval-origin", "start-delay", "enabled"})


def read(text: str) -> Reading:
    """Read what `crm configure show` or `save` prints, or what a person wrote for `crm configure load`.

    The CIB has every object of the text, with its id and the ids by which objects refer to each other; what the text
    does not name has ids that mean nothing. A statement that cannot be read is a fault, and what the others say is
    there. Comments become remarks on the object that they stand before. Never raises.
    """
    builder = _Builder()
    for statement in statements(text, KEYWORDS):
        builder.take(statement)
    return builder.finish()


@frozen
class _Made:
    statement: Statement
    element: ET.Element


class _Builder:
    """The objects read so far, and what was found wrong or remarkable."""

    def __init__(self) -> None:
        self._objects: dict[str, _Made] = {}
        self._sets: dict[str, list[_Made]] = {name: [] for name in ("cluster_property_set", *_DEFAULTS)}
        self._levels: list[_Made] = []
        self._monitors: list[_Made] = []
        self._faults: list[Fault] = []
        self._remarks: list[Remark] = []

    def take(self, statement: Statement) -> None:
        remarks: list[str] = []
        name = ""
        try:
            if statement.text:
                element = _element(statement.text, remarks)
                self._add(_Made(statement, element))
                name = _called(element)
        except StatementError as error:
            self._fault(statement, str(error))
        self._remarks += [Remark(name, text) for text in (*map(concealed, statement.comments), *remarks)]

    def _fault(self, statement: Statement, message: str) -> None:
        self._faults.append(fault(statement.line, statement.text, message))

    def _add(self, made: _Made) -> None:
        element = made.element
        match element.tag:
            case "op":
                self._monitors.append(made)
            case "cluster_property_set":
                self._add_set(element.tag, made)
            case "rsc_defaults" | "op_defaults":
                for inner in element:
                    self._add_set(element.tag, _Made(made.statement, inner))
            case "meta_attributes":
                self._add_set(self._defaults(element), made)
            case "fencing-topology":
                self._levels += [_Made(made.statement, level) for level in element]
            case _:
                self._add_object(made)

    def _add_object(self, made: _Made) -> None:
        name = key(made.element)
        if not made.element.get("id"):
            raise StatementError(f"makes a <{made.element.tag}> without an id")
        other = self._objects.setdefault(name, made)
        if other is not made:
            raise StatementError(f"{made.element.get('id')} is there already, from line {other.statement.line}")

    def _add_set(self, section: str, made: _Made) -> None:
        """Put an option set where it belongs; the same one said twice is one."""
        sets, added = [there.element for there in self._sets[section]], made.element
        name = added.get("id")
        same = next((found for found in sets if name is not None and found.get("id") == name), None)
        if same is None:
            self._sets[section].append(made)
        elif same.find("rule") is not None or added.find("rule") is not None:
            added.set("id", fresh_id(added.get("id", ""), {found.get("id") for found in sets}))
            self._sets[section].append(made)
        else:
            new = {pair.get("name") for pair in added}
            for pair in [pair for pair in same if pair.get("name") in new]:
                same.remove(pair)
            same.extend(added)

    def _defaults(self, element: ET.Element) -> str:
        """Return the section of a set that crm printed as XML without saying which it is in."""
        names = {pair.get("name") for pair in element.iter("nvpair")}
        of_operations = bool(names) and names <= _OF_OPERATIONS
        section = "op_defaults" if of_operations or element.find(".//op_expression") is not None else "rsc_defaults"
        said = f"crm does not say what these defaults are for: by their names they are taken as {section}."
        self._remarks.append(Remark(element.get("id", ""), said))
        return section

    def finish(self) -> Reading:
        top = {made.element.get("id", ""): made.element for made in self._of("resources")}
        for made in [made for made in self._of("resources") if made.element.tag in CONTAINERS]:
            for message in containers.fill(made.element, top):
                self._fault(made.statement, message)
        self._take_monitors()
        whole = configuration(
            {
                "crm_config": [made.element for made in self._sets["cluster_property_set"]],
                **{name: [made.element for made in self._sets[name]] for name in _DEFAULTS},
                _FENCING: list(self._fencing()),
                **{name: [made.element for made in self._of(name)] for name in ("nodes", "constraints", "acls")},
                **{name: [made.element for made in self._of(name)] for name in ("tags", "alerts")},
                "resources": list(top.values()),
            }
        )
        give_ids(whole)
        self._look_for_references(whole)
        faults = sorted(self._faults, key=lambda fault: fault.line)
        return Reading(document(whole), tuple(faults), tuple(self._remarks))

    def _look_for_references(self, whole: ET.Element) -> None:
        """Find references to what the text does not have: crm prints no ids of sets and values that others refer to."""
        there = {(element.tag, element.get("id", "")) for element in whole.iter() if element.tag not in NAMED_BY_ID}
        said: set[tuple[int, str]] = set()
        for made in (*self._objects.values(), *(made for sets in self._sets.values() for made in sets)):
            for part in own(made.element):
                name = _dangling(part, there)
                if name and (made.statement.line, name) not in said:
                    said.add((made.statement.line, name))
                    how = f"${name}:NAME=VALUE" if part.tag == "nvpair" else f"$id={name}"
                    self._fault(made.statement, f"refers to {name}, which is not there: write {how} at what is meant")

    def _of(self, section: str) -> Iterator[_Made]:
        return (made for made in self._objects.values() if _SECTIONS[made.element.tag] == section)

    def _take_monitors(self) -> None:
        """Give operations that have a statement of their own to their primitives."""
        there = {made.element.get("id"): made.element for made in self._of("resources")}
        for made in self._monitors:
            name = made.element.attrib.pop("rsc", "")
            primitive = there.get(name)
            if primitive is None or primitive.tag != "primitive":
                self._fault(made.statement, f"names {name}, and no statement makes a primitive of that name")
                continue
            operations = primitive.find("operations")
            if operations is None:
                operations = ET.SubElement(primitive, "operations")
            operations.append(made.element)

    def _fencing(self) -> Iterator[ET.Element]:
        """Yield the fencing levels; those without a target are for every node."""
        nodes = sorted(made.element.get("uname", "") for made in self._of("nodes"))
        faulty: set[int] = set()
        for made in self._levels:
            targets = nodes if made.element.get("target") == others.ALL_NODES else [made.element.get("target")]
            if not targets and made.statement.line not in faulty:
                self._fault(made.statement, "is for all nodes, and no statement names a node: write NODE: DEVICES")
                faulty.add(made.statement.line)
            for target in targets:
                level = ET.Element("fencing-level", made.element.attrib)
                if target is not None:
                    level.set("target", target)
                yield level


def _dangling(part: ET.Element, there: set[tuple[str, str]]) -> str:
    """Return what a part refers to if it is not there, else nothing; an `id-ref` means something of its own sort."""
    name, permitted = part.get("id-ref"), part.get("reference") or part.get("ref")
    if name is not None:
        return "" if (part.tag, name) in there else name
    return permitted if permitted is not None and all(other != permitted for _, other in there) else ""


def _called(element: ET.Element) -> str:
    """Return by what remarks name an object."""
    if element.tag == _FENCING:
        return _FENCING
    if element.tag == "op":
        return element.get("rsc", "")
    return key(element[0] if element.tag in _DEFAULTS and len(element) else element)


def _element(text: str, remarks: list[str]) -> ET.Element:
    keyword = text.split(maxsplit=1)[0]
    if keyword.lower() == "xml":
        return others.xml(text[len(keyword) :].strip())
    reader = _READERS.get(keyword.lower())
    if reader is None:
        meant = get_close_matches(keyword.lower(), KEYWORDS, 1)
        raise StatementError(f"no statement begins with {keyword!r}" + (f": did you mean {meant[0]}?" if meant else ""))
    words = Words(split(text)[1:])
    element = reader(words)
    words.done()
    remarks += words.remarks
    return element
