"""The resources inside groups, clones and bundles, put there. Pure."""

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from reconciler.cib.document import CONTAINERS, RESOURCES, children
from reconciler.crm.resources import REFERENCE

_MAY_HOLD = {
    "group": frozenset({"primitive"}),
    "clone": frozenset({"primitive", "group"}),
    "master": frozenset({"primitive", "group"}),
    "bundle": frozenset({"primitive"}),
}


def fill(container: ET.Element, top: dict[str, ET.Element]) -> Iterator[str]:
    """Put the resources that a container names into it, and take them out of `top`; yield what is wrong.

    Args:
        container: what is filled. Left without any resource, it is taken out of `top` itself.
        top: the resources that are in no container yet, by their ids.
    """
    for child in list(children(container)):
        if child.tag != REFERENCE and child.tag not in RESOURCES:
            continue
        name = child.get("id", "")
        said = top.get(name)
        if said is not None and said.tag in _MAY_HOLD[str(container.tag)]:
            container[_index(container, child)] = said
            del top[name]
        elif said is not None:
            container.remove(child)
            yield f"names {name}, which is a {said.tag}: a {container.tag} cannot hold it, so it is left out there"
        elif child.tag == REFERENCE:
            container.remove(child)
            yield f"names {name}, which no statement makes or which is in another container: it is left out there"
        elif child.tag in CONTAINERS:
            yield from fill(child, top)
    if not any(child.tag in RESOURCES for child in container) and container.tag != "bundle":
        top.pop(container.get("id", ""), None)
        yield "holds no resource, so it is left out"


def _index(container: ET.Element, child: ET.Element) -> int:
    return next(index for index, element in enumerate(container) if element is child)
