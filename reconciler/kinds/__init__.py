"""What can be managed: one pure file per kind, and the table of them."""

from collections.abc import Iterable, Mapping

from reconciler.kinds import (
    acl_group,
    acl_role,
    acl_user,
    alert,
    bundle,
    clone,
    cluster_properties,
    colocation,
    fencing_topology,
    group,
    location,
    node,
    node_network,
    operation_defaults,
    order,
    primitive,
    resource_defaults,
    sync_policy,
    tag,
    template,
    ticket,
)
from reconciler.kinds.base import ClusterKind, Kind
from reconciler.state import Ref

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        sync_policy.KIND,
        node_network.KIND,
        cluster_properties.KIND,
        resource_defaults.KIND,
        operation_defaults.KIND,
        node.KIND,
        template.KIND,
        primitive.KIND,
        group.KIND,
        clone.KIND,
        bundle.KIND,
        location.KIND,
        colocation.KIND,
        order.KIND,
        ticket.KIND,
        fencing_topology.KIND,
        tag.KIND,
        acl_role.KIND,
        acl_user.KIND,
        acl_group.KIND,
        alert.KIND,
    )
}
"""Every kind by name, in the order in which objects are created."""

CLUSTER_KINDS: Mapping[str, ClusterKind] = {name: kind for name, kind in KINDS.items() if isinstance(kind, ClusterKind)}


_RANK = {name: place for place, name in enumerate(CLUSTER_KINDS)}


def in_order(refs: Iterable[Ref]) -> list[Ref]:
    """Sort objects of the cluster in the order in which they are made if nobody asks for another."""
    return sorted((ref for ref in refs if ref.kind in _RANK), key=lambda ref: (_RANK[ref.kind], ref.name))


def key(ref: Ref) -> str:
    """Return what no two objects of the cluster share: the id, and more where another may have the same name."""
    kind = CLUSTER_KINDS.get(ref.kind)
    return kind.key(ref.name) if kind else ref.name
