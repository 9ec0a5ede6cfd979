"""Whether the wanted objects work, from what the cluster and the kernel say. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from xml.etree.ElementTree import Element

from reconciler.cib.cluster import ClusterStatus, ResourceStatus
from reconciler.cib.hindrance import Hindrances
from reconciler.kinds.node_network import NodeNetwork
from reconciler.network.iproute import Seen
from reconciler.state import Ref, State
from reconciler.status import Health

RESOURCE_KINDS = frozenset({"Primitive", "Group", "Clone", "Bundle"})
_MOVES = frozenset({"start", "stop", "promote", "demote", "migrate_to", "migrate_from"})
"""Operations during which a resource does not serve, though Pacemaker already or still counts it as active."""


_UNPROMOTED = frozenset({"unpromoted", "slave"})


def health(
    state: State, cluster: ClusterStatus | None, network: Seen | None, node: str, cib: Element | None = None
) -> Mapping[Ref, Health]:
    """Judge what can be unwell: resources, and the links of this node.

    Args:
        state: what is wanted.
        cluster: what the cluster does, None if it cannot be seen.
        network: the node's addresses and links, None if they cannot be seen.
        node: the name of this node.
        cib: what `cluster` was read from: says what keeps a resource from running where that is evident.
    """
    result = {}
    for ref, spec in state.items():
        if ref.kind in RESOURCE_KINDS and cluster is not None:
            result[ref] = of_resource(cluster.resources.get(ref.name))
        elif isinstance(spec, NodeNetwork) and spec.node == node and network is not None:
            result[ref] = _links(spec, network)
    unwell = [ref for ref, found in result.items() if found.reason in (_IDLE, _UNPROMOTED_ONLY)]
    if cib is None or cluster is None or not unwell:
        return result
    hindrances = Hindrances(cib, cluster)
    for ref in unwell:
        causes = hindrances.of if result[ref].reason == _IDLE else hindrances.of_promotion
        result[ref] = _explained(result[ref], causes(ref.name))
    return result


def _explained(idle: Health, causes: tuple[str, ...]) -> Health:
    more = f"; and {len(causes) - _FEW} more" if len(causes) > _FEW else ""
    return replace(idle, message=f"{idle.message}: {'; '.join(causes[:_FEW])}{more}") if causes else idle


_IDLE = "NotRunning"
_UNPROMOTED_ONLY = "NotPromoted"
_FEW = 4


def of_resource(resource: ResourceStatus | None) -> Health:
    """Judge a resource by what the cluster says of it; None is one that the cluster does not know."""
    if resource is None:
        return Health(None, "Absent", "the cluster does not know it yet")
    under_way = [there for there in resource.placements.values() if there.active and there.pending in _MOVES]
    moving = {there.node for there in under_way}
    where = " and ".join(node for node in resource.promoted_on or resource.active_on if node not in moving)
    if resource.failed and not resource.failure_ignored:
        return Health(False, "ResourceFailed", _failures(resource))
    if resource.blocked:
        return Health(False, "Blocked", "the cluster cannot recover it by itself")
    if not resource.wanted:
        return Health(True, "Stopped", "target-role is Stopped")
    if not where and under_way:
        tasks = sorted(f"{there.pending} under way on {there.node}" for there in under_way)
        return Health(False, "InTransition", ", ".join(tasks))
    if not where:
        return Health(False, _IDLE, _failures(resource) or _refusals(resource) or "active on no node")
    if resource.promotable and not resource.promoted_on and resource.target_role.lower() not in _UNPROMOTED:
        return Health(False, _UNPROMOTED_ONLY, f"active on {where}, promoted nowhere")
    return Health(True, "Running", f"on {where}")


_REFUSALS = {
    2: "invalid parameter",
    3: "unimplemented",
    4: "insufficient privileges",
    5: "not installed",
    6: "not configured",
}
"""Exit codes that say that a resource cannot run there, in crm_mon's words; no fail count tells of them."""


def _refusals(resource: ResourceStatus) -> str:
    last = {node: there.operations[-1] for node, there in sorted(resource.placements.items()) if there.operations}
    return ", ".join(f"{op.task} on {node}: {_REFUSALS[op.rc]}" for node, op in last.items() if op.rc in _REFUSALS)


def _failures(resource: ResourceStatus) -> str:
    counts = [f"{item.count} on {item.node}" for item in resource.failures.values() if item.count]
    return f"failures: {', '.join(sorted(counts))}" if counts else ""


def _links(spec: NodeNetwork, network: Seen) -> Health:
    down = [
        link.name
        for link in spec.links
        if link.state != "down" and not (link.name in network.devices and network.devices[link.name].up)
    ]
    return Health(False, "LinkDown", ", ".join(down)) if down else Health(True, "LinksUp")
