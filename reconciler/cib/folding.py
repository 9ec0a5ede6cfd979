"""Folding: from instances to resources, and from members to the groups, clones and bundles that contain them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reconciler.cib.cluster import FailCounter, Placement, ResourceStatus
from reconciler.cib.failures import FailCount, base_name, fail_counts, failure_timeout, live_count, migration_threshold
from reconciler.cib.history import Role
from reconciler.cib.instances import Instance, managed
from reconciler.cib.inventory import Configuration, Resource, ResourceKind
from reconciler.cib.membership import Node
from reconciler.frozen import frozen


@frozen
class _State:
    """What is true of a resource besides its configuration."""

    managed: bool
    placements: Mapping[str, Placement]
    blocked: bool = False
    failed: bool = False
    failure_ignored: bool = False
    orphan: bool = False


def fold(
    configuration: Configuration,
    resources: Mapping[str, Resource],
    nodes: Mapping[str, Node],
    instances: Sequence[Instance],
    now: float | None,
) -> dict[str, ResourceStatus]:
    """Return the status of every resource, orphans last; failures are judged by their age at `now`."""
    by_resource: dict[str, list[Instance]] = {}
    for instance in instances:
        by_resource.setdefault(instance.resource.id, []).append(instance)
    orphans = {instance.resource.id: instance.resource for instance in instances if instance.orphan}
    counts = _counts_by_resource(nodes, configuration.cib.get("crm_feature_set", ""))
    found: dict[str, ResourceStatus] = {}
    for resource in [*orphans.values(), *reversed(list(resources.values()))]:
        if resource.kind is ResourceKind.PRIMITIVE:
            state = _primitive(resource, by_resource.get(resource.id, []), nodes, configuration)
        else:
            # Of resources with one id, which a damaged CIB may have, only the last is known: not each container's.
            members = [found[member] for member in resource.members if member in found]
            state = _collection(resource, members, nodes, by_resource)
        found[resource.id] = _status(resource, state, _failures(resource, counts.get(resource.id, {}), now))
    return {name: found[name] for name in [*resources, *orphans]}


def _counts_by_resource(nodes: Mapping[str, Node], feature_set: str) -> dict[str, dict[str, FailCount]]:
    """Return fail counts by resource and node; of a unique clone's instances on a node the highest."""
    found: dict[str, dict[str, FailCount]] = {}
    for node in nodes.values():
        for name, failures in fail_counts(node.attributes, feature_set).items():
            here = found.setdefault(base_name(name), {})
            if node.name not in here or here[node.name].count < failures.count:
                here[node.name] = failures
    return found


def _failures(resource: Resource, counts: Mapping[str, FailCount], now: float | None) -> dict[str, FailCounter]:
    if not counts:
        return {}
    timeout, threshold = failure_timeout(resource), migration_threshold(resource)
    return {
        node: FailCounter(
            node, failures.count, failures.last_failure, banned=0 < threshold <= live_count(failures, timeout, now)
        )
        for node, failures in counts.items()
    }


def _primitive(
    resource: Resource, instances: Sequence[Instance], nodes: Mapping[str, Node], configuration: Configuration
) -> _State:
    if not instances:
        return _State(managed(resource, configuration), {})
    placements: dict[str, Placement] = {}
    for instance in instances:
        for name in instance.on:
            there = _placement(instance, nodes[name])
            known = placements.get(name)
            if known is not None:
                there = replace(_merge(name, [known, there]), operations=(*known.operations, *there.operations))
            placements[name] = there
    return _State(
        managed=all(item.managed for item in instances),
        placements=placements,
        blocked=any(item.blocked for item in instances),
        failed=any(item.failed for item in instances),
        failure_ignored=any(item.failure_ignored for item in instances),
        orphan=instances[0].orphan,
    )


def _placement(instance: Instance, node: Node) -> Placement:
    presence = instance.on[node.name]
    started = presence.role is Role.STARTED
    return Placement(
        node.name,
        Role.UNPROMOTED if started and instance.resource.promotable else presence.role,
        # lib/pengine/native.c, native_active: on a node that is cleanly down nothing runs, unless nobody looks after it
        active=presence.running and (node.online or node.unclean or not instance.managed),
        failed=presence.failed or (instance.failed and presence.running),
        pending=presence.pending,
        operations=presence.operations,
    )


def _collection(
    resource: Resource,
    members: Sequence[ResourceStatus],
    nodes: Mapping[str, Node],
    instances: Mapping[str, Sequence[Instance]],
) -> _State:
    here: dict[str, list[Placement]] = {}
    for member in members:
        for name, there in member.placements.items():
            host = _host(nodes[name], instances) if resource.kind is ResourceKind.BUNDLE else name
            here.setdefault(host, []).append(there)
    return _State(
        managed=all(member.managed for member in members),
        placements={name: _merge(name, there) for name, there in here.items()},
        blocked=any(member.blocked for member in members),
        failed=any(member.failed for member in members),
        failure_ignored=any(member.failure_ignored for member in members),
    )


def _host(node: Node, instances: Mapping[str, Sequence[Instance]]) -> str:
    """Return the cluster node on which a guest node's container runs, or the node itself."""
    for container in instances.get(node.container, ()) if node.container else ():
        for name, there in container.on.items():
            if there.running:
                return name
    return node.name


def _merge(node: str, several: Sequence[Placement]) -> Placement:
    """Return what several placements on one node come to together; where some are active, those decide the role."""
    active = [there for there in several if there.active]
    return Placement(
        node,
        max(there.role for there in active or several),
        active=bool(active),
        failed=any(there.failed for there in several),
        pending=next((there.pending for there in several if there.pending), ""),
    )


def _status(resource: Resource, state: _State, failures: Mapping[str, FailCounter]) -> ResourceStatus:
    return ResourceStatus(
        id=resource.id,
        kind=resource.kind,
        agent=resource.agent,
        parent=resource.parent,
        members=resource.members,
        promotable=resource.promotable,
        cloned=resource.cloned,
        unique=resource.unique,
        implicit=resource.implicit,
        orphan=state.orphan,
        managed=state.managed,
        blocked=state.blocked,
        failed=state.failed,
        failure_ignored=state.failure_ignored,
        wanted=not state.orphan and resource.meta.get("target-role", "").lower() != "stopped",
        target_role=resource.meta.get("target-role", ""),
        promoted_max=_promoted_max(resource),
        threshold=migration_threshold(resource),
        placements=state.placements,
        failures=failures,
    )


def _promoted_max(resource: Resource) -> int:
    """Read `promoted-max`, formerly `master-max`: one if it is not said."""
    if not resource.promotable:
        return 0
    said = resource.meta.get("promoted-max", resource.meta.get("master-max", "1"))
    return int(said) if said.isdigit() else 1
