"""Nodes and options in crm's words: node, property, rsc_defaults, op_defaults. Pure."""

import re
from xml.etree import ElementTree as ET

from reconciler.crm.sets import take_description, take_pairs, take_rules, take_sets
from reconciler.crm.words import Words
from reconciler.reading import StatementError

_ID = re.compile(r"([\w.-]+):")
_NODE = re.compile(r"([^:]+)(?::(normal|member|ping|remote))?", re.IGNORECASE)
_NODE_SETS = {"attributes": "instance_attributes", "utilization": "utilization"}


def node(words: Words) -> ET.Element:
    """Read what follows `node`; one without an id gets its name as one, as crm does it."""
    name = _own_id(words)
    match = words.take_match(_NODE)
    if match is None:
        raise StatementError(f"expected the name of a node{f' instead of {words.peek()!r}' if words.left else ''}")
    found = ET.Element("node", {"id": name or match[1], "uname": match[1]})
    if match[2]:
        found.set("type", match[2].lower())
    take_description(words, found)
    take_sets(words, found, _NODE_SETS, "attributes")
    return found


def _own_id(words: Words) -> str | None:
    name = words.option("$id")
    if name is None and (match := words.take_match(_ID)):
        name = match[1]
    return name


def properties(words: Words) -> ET.Element:
    """Read what follows `property`."""
    return _options(words, ET.Element("cluster_property_set"), "cib-bootstrap-options")


def resource_defaults(words: Words) -> ET.Element:
    """Read what follows `rsc_defaults`; the section is around it."""
    return _section("rsc_defaults", _options(words, ET.Element("meta_attributes"), "rsc-options"))


def operation_defaults(words: Words) -> ET.Element:
    """Read what follows `op_defaults`; the section is around it."""
    return _section("op_defaults", _options(words, ET.Element("meta_attributes"), "op-options"))


def _section(tag: str, inner: ET.Element) -> ET.Element:
    section = ET.Element(tag)
    section.append(inner)
    return section


def _options(words: Words, found: ET.Element, usual: str) -> ET.Element:
    reference = words.option("$id-ref")
    if reference is not None:
        found.set("id-ref", reference)
        return found
    found.set("id", _own_id(words) or usual)
    found.extend(take_rules(words))
    found.extend(take_pairs(words))
    return found
