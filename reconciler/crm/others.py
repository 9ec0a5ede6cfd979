"""What else crm's language says: fencing_topology, tag, alert, and XML as it is. Pure."""

import re
from xml.etree import ElementTree as ET

from reconciler.crm.sets import identifier, take_description, take_sets
from reconciler.crm.words import Words
from reconciler.reading import StatementError

ALL_NODES = "*"
"""The target of a fencing level that is for every node: the nodes are known when all is read."""

_ATTRIBUTE = re.compile(r"attr:([\w-]+)=([\w-]+)", re.IGNORECASE)
_PATTERN = re.compile(r"pattern:(.+)", re.IGNORECASE)
_TARGET = re.compile(r"([^:]+):")


def fencing_topology(words: Words) -> ET.Element:
    """Read what follows `fencing_topology`; levels are counted for each target, or attribute of targets, as by crm."""
    found = ET.Element("fencing-topology")
    target = {"target": ALL_NODES}
    counted = ALL_NODES
    counts: dict[str, int] = {}
    while words.left:
        if match := words.take_match(_ATTRIBUTE):
            target, counted = {"target-attribute": match[1], "target-value": match[2]}, match[1]
        elif match := words.take_match(_PATTERN):
            target, counted = {"target-pattern": match[1]}, match[1]
        elif match := words.take_match(_TARGET):
            target, counted = {"target": match[1]}, match[1]
        else:
            counts[counted] = counts.get(counted, 0) + 1
            devices = words.take("devices")
            if not all(devices.split(",")):
                raise StatementError(f"{devices!r} has a comma beside which no device stands")
            ET.SubElement(found, "fencing-level", {**target, "index": str(counts[counted]), "devices": devices})
    return found


def tag(words: Words) -> ET.Element:
    """Read what follows `tag`."""
    found = ET.Element("tag", {"id": identifier(words, "a tag").removesuffix(":")})
    found.extend(ET.Element("obj_ref", {"id": name}) for name in words.rest())
    if not len(found):
        raise StatementError("names nothing")
    return found


_SETS = {"attributes": "instance_attributes", "meta": "meta_attributes"}
_ENDS = frozenset({"to", "select", "}"})
_EVENTS = ("nodes", "fencing", "resources", "attributes")


def alert(words: Words) -> ET.Element:
    """Read what follows `alert`."""
    found = ET.Element("alert", {"id": identifier(words, "an alert"), "path": words.take("a path")})
    take_description(words, found)
    while words.left:
        if words.keyword in _SETS:
            take_sets(words, found, _SETS, ends=_ENDS)
        elif words.take_keyword("select"):
            _select(words, found)
        elif words.take_keyword("to"):
            found.append(_recipient(words))
        else:
            raise StatementError(f"{words.peek()!r} is not expected there: an alert has attributes, meta, select, to")
    return found


def _select(words: Words, found: ET.Element) -> None:
    select = found.find("select")
    if select is None:
        select = ET.SubElement(found, "select")
    while words.keyword in _EVENTS:
        event = words.take("what is selected")
        selected = ET.SubElement(select, f"select_{event.lower()}")
        if selected.tag == "select_attributes":
            if not words.take_keyword("{"):
                raise StatementError("names no attributes in { } after `select attributes`")
            selected.extend(ET.Element("attribute", {"name": name}) for name in words.until("}"))


def _recipient(words: Words) -> ET.Element:
    braced = words.take_keyword("{")
    found = ET.Element("recipient", {"value": words.take("a recipient")})
    take_description(words, found)
    take_sets(words, found, _SETS, ends=_ENDS)
    if braced and not words.take_keyword("}"):
        raise StatementError("has no } for its {")
    return found


OBJECTS = frozenset(
    {
        "node", "primitive", "group", "clone", "master", "bundle", "template", "rsc_location", "rsc_colocation",
        "rsc_order", "rsc_ticket", "cluster_property_set", "rsc_defaults", "op_defaults", "acl_target", "acl_group",
        "acl_user", "acl_role", "fencing-topology", "tag", "alert", "meta_attributes",
    }
)  # fmt: skip
_DEEPEST = 60


def xml(text: str) -> ET.Element:
    """Read what follows `xml`: one object of the CIB.

    Raises:
        StatementError: it is not well-formed, or no object that crm knows.
    """
    try:
        found = ET.fromstring(text)
    except (ET.ParseError, ValueError) as error:
        raise StatementError(f"is not well-formed: {error}") from error
    if found.tag not in OBJECTS:
        raise StatementError(f"<{found.tag}> is no object of a configuration")
    if any(name.startswith("{") for element in found.iter() for name in (element.tag, *element.keys())):
        raise StatementError("has namespaces, which no CIB has")
    level, depth = list(found), 1
    while level:
        depth += 1
        level = [inner for element in level for inner in element]
        if depth > _DEEPEST:
            raise StatementError(f"is nested more than {_DEEPEST} deep")
    return found
