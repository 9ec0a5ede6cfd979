"""Samples of what the CIB says: nodes, resources, failures, ping scores, flags. Pure.

Resources have a series for every cluster node, so that a graph shows where they are not as well as where they are.
"""

import math
from collections.abc import Iterator

from reconciler.cib.cluster import ClusterStatus, ResourceStatus
from reconciler.cib.inventory import INFINITY, ResourceKind
from reconciler.cib.membership import NodeKind
from reconciler.cib.ping import PingAttribute
from reconciler.metrics.catalogue import NODE_STATES
from reconciler.metrics.samples import Sample, known, sample
from reconciler.metrics.snapshot import MetricsSnapshot


def samples(snapshot: MetricsSnapshot) -> Iterator[Sample]:
    """Yield what there is; of a CIB that could not be read only that."""
    status = snapshot.status
    local = status.nodes.get(snapshot.local_node) if status is not None else None
    yield sample("pacemaker_up", local is not None and local.online)
    if status is None:
        return
    transport = snapshot.rings.transport if snapshot.rings is not None else ""
    name = status.cluster_name or (snapshot.rings.cluster_name if snapshot.rings is not None else "")
    versions = {"stack": status.stack, "pacemaker_version": status.pacemaker_version}
    yield sample("cluster_info", 1, cluster_name=name, transport=transport, **versions)
    yield sample("dc_local", status.dc == snapshot.local_node)
    yield sample("dc_present", bool(status.dc))
    yield sample("cib_admin_epoch", status.admin_epoch)
    yield sample("cib_epoch", status.epoch)
    # Without a zone it is local time, of another node maybe: all nodes are taken to live in one zone
    written = status.updated.at
    yield from known("cib_last_written_timestamp_seconds", written.timestamp() if written is not None else None)
    yield sample("maintenance_mode", status.maintenance_mode)
    yield sample("fencing_enabled", status.fencing_enabled)
    for node in status.nodes.values():
        for state in NODE_STATES:
            yield sample("node_state", getattr(node, state), node=node.name, state=state)
    members = [node.name for node in status.nodes.values() if node.kind is NodeKind.MEMBER]
    for resource in status.resources.values():
        yield from _resource(resource, members)
    leftovers = {(item.resource, item.node, item.kind) for item in status.cli_constraints}
    for constrained, where, kind in sorted(leftovers):
        yield sample("cli_constraint", 1, resource=constrained, node=where, kind=kind)
    for (kind, name, what), since in snapshot.overrides.items():
        yield sample("override_since_timestamp_seconds", since, kind=kind, name=name, override=what)
    for ping in status.pings:
        yield from _ping(ping, status)


def _resource(resource: ResourceStatus, members: list[str]) -> Iterator[Sample]:
    name = resource.id
    nodes = dict.fromkeys((*members, *resource.placements, *resource.failures))
    for node in nodes:
        there = resource.placements.get(node)
        state = 0 if there is None or not there.active else 2 if there.promoted else 1
        yield sample("resource_state", state, resource=name, node=node)
    yield sample("resource_active_nodes", len(resource.active_on), resource=name)
    yield sample("resource_managed", resource.managed, resource=name)
    yield sample("resource_blocked", resource.blocked, resource=name)
    yield sample("resource_failed", resource.failed, resource=name)
    yield sample("resource_removed", resource.orphan, resource=name)
    yield sample("resource_target_active", resource.wanted, resource=name)
    if resource.kind is not ResourceKind.PRIMITIVE:
        return
    threshold = resource.threshold or INFINITY
    yield sample("resource_migration_threshold", _finite(threshold), resource=name)
    for node in nodes:
        failures = resource.failures.get(node)
        count = failures.count if failures is not None else 0
        yield sample("resource_fail_count", _finite(count), resource=name, node=node)
        yield sample("resource_banned", failures is not None and failures.banned, resource=name, node=node)


def _finite(score: int) -> float:
    return math.inf if score >= INFINITY else float(score)


def _ping(ping: PingAttribute, status: ClusterStatus) -> Iterator[Sample]:
    for node, score in ping.scores.items():
        where = {"attribute": ping.name, "node": node}
        yield from known("ping_score", score, **where)
        yield from known("ping_score_expected", ping.expected, **where)
        if status.nodes[node].online:
            yield sample("ping_score_present", node in ping.present, **where)
    for requirement in ping.required:
        yield sample("ping_score_required", requirement.minimum, attribute=ping.name, resource=requirement.resource)
