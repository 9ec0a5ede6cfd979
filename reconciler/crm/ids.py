"""Ids for what is in objects, where the text gives none, and what references by a resource's name mean. Pure."""

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from reconciler.cib.document import NAMED_APART, NAMED_BY_ID, RESOURCES, children
from reconciler.kinds.base import fresh_id, identifier

_IDENTIFIED = frozenset(
    {
        "nvpair", "instance_attributes", "meta_attributes", "utilization", "cluster_property_set", "op", "rule",
        "expression", "date_expression", "rsc_expression", "op_expression", "duration", "date_spec", "resource_set",
        "acl_permission", "read", "write", "deny", "recipient", "attribute", "fencing-level", "port-mapping",
        "storage-mapping",
    }
)  # fmt: skip
"""What has an id in Pacemaker's schemas besides objects."""

_REFERRED = _IDENTIFIED | {"operations"}


def give_ids(configuration: ET.Element) -> None:
    """Give an id to everything that needs one and has none; then let references by resource refer to what is in it."""
    used: set[str | None] = {
        element.get("id") for element in configuration.iter() if element.tag not in {*NAMED_BY_ID, *NAMED_APART}
    }
    for section in configuration:
        for element in section:
            owner = element.get("id") or section.tag
            _give(element, f"nodes-{owner}" if element.tag == "node" else owner, used)
    _resolve(configuration, used)


def _give(element: ET.Element, prefix: str, used: set[str | None]) -> None:
    for child in element:
        if child.tag in _IDENTIFIED and child.get("id") is None and child.get("id-ref") is None:
            child.set("id", fresh_id(identifier(prefix, *_suffix(child)), used))
        _give(child, child.get("id") or prefix, used)


def _suffix(element: ET.Element) -> tuple[str, ...]:
    match element.tag:
        case "nvpair" | "attribute":
            return (element.get("name", ""),)
        case "op":
            return (element.get("name", ""), element.get("interval", ""))
        case "acl_permission":
            return (element.get("kind", ""),)
        case "fencing-level":
            target = element.get("target") or element.get("target-value") or "pattern"
            return (target, element.get("index", ""))
        case tag:
            return (tag,)


def _resolve(configuration: ET.Element, used: set[str | None]) -> None:
    resources = {
        element.get("id"): element for element in configuration.iter() if element.tag in RESOURCES | {"template"}
    }
    for element in configuration.iter():
        name = element.get("id-ref")
        resource = resources.get(name) if name else None
        if resource is None or element.tag not in _REFERRED:
            continue
        meant = next((part for part in _own(resource) if part.tag == element.tag and part.get("id-ref") is None), None)
        if meant is not None:
            if meant.get("id") is None:
                meant.set("id", fresh_id(identifier(name or "", "operations"), used))
            element.set("id-ref", meant.get("id", ""))


def _own(resource: ET.Element) -> Iterator[ET.Element]:
    """Yield what is in a resource, but not the resources inside it."""
    for child in children(resource):
        if child.tag not in RESOURCES:
            yield from child.iter()
