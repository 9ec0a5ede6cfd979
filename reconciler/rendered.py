"""A set of manifests as the configuration that it would make of an empty cluster. Pure."""

from collections.abc import Iterable
from xml.etree import ElementTree as ET

from reconciler.cib.document import Cib
from reconciler.cib.draft import Edits, draft
from reconciler.kinds import CLUSTER_KINDS
from reconciler.kinds.primitive import Primitive
from reconciler.state import State


def is_needed(state: State) -> bool:
    """Tell whether an object means something by another: by a template, by a set of another's, inside a bundle."""
    return any(ref.kind in _BY_OTHERS for ref in state) or any(
        item.id_ref or item.nvpairs for spec in state.values() if isinstance(spec, Primitive) for item in spec.params
    )


_BY_OTHERS = frozenset({"Template", "Bundle"})


def configuration(state: State, nodes: Iterable[ET.Element] = ()) -> ET.Element:
    """Return the `<configuration>` of these objects, in the order of creation; the set must be without faults.

    Args:
        state: objects; those of nodes are left out.
        nodes: the `<node>` elements of the cluster that it is for.
    """
    root = ET.Element("cib")
    ET.SubElement(ET.SubElement(root, "configuration"), "nodes").extend(nodes)
    rank = {name: index for index, name in enumerate(CLUSTER_KINDS)}
    said = sorted((rank[ref.kind], ref.name, spec) for ref, spec in state.items() if ref.kind in rank)
    kinds = tuple(CLUSTER_KINDS.values())
    created = [(kinds[index].home, kinds[index].write(name, spec, None)) for index, name, spec in said]
    members = {name: inside for index, name, spec in said if (inside := kinds[index].members(spec))}
    return draft(Cib("", root), Edits(created=created, members=members))
