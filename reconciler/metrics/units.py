"""The units of a cluster that can fail over, and what the status shows of one. Pure."""

from collections.abc import Iterator, Mapping

from reconciler.cib.cluster import ClusterStatus, Placement, ResourceStatus
from reconciler.cib.history import DONE, OK, PROMOTED_RC, Operation
from reconciler.cib.inventory import ResourceKind
from reconciler.frozen import frozen
from reconciler.metrics.memory import Trace

_ARRIVALS = frozenset({"start", "migrate_from"})
_DEPARTURES = frozenset({"stop", "migrate_to"})
_RUNNING = frozenset({OK, PROMOTED_RC})
# A stop says nothing of promotion: unpromoted instances are stopped too
_PROMOTIONS, _DEMOTIONS = frozenset({"promote"}), frozenset({"demote"})


def units(status: ClusterStatus) -> list[ResourceStatus]:
    """Return the resources that move as one, by id: groups, single primitives, promotable clones.

    Anonymous clones, bundles, fencing devices and what is no longer configured are none.
    """
    return [resource for resource in status.resources.values() if _is_unit(resource, status)]


def _is_unit(resource: ResourceStatus, status: ClusterStatus) -> bool:
    movable = resource.kind is ResourceKind.GROUP or resource.kind is ResourceKind.PRIMITIVE or resource.promotable
    return (
        movable
        and resource.kind is not ResourceKind.BUNDLE
        and not resource.parent
        and not resource.orphan
        and not resource.implicit
        and not resource.agent.startswith("stonith:")
        and _lead(resource, status) is not None
    )


def _lead(resource: ResourceStatus, status: ClusterStatus) -> ResourceStatus | None:
    """Return the primitive whose operations tell where the unit is: itself or its first member."""
    while resource.kind is not ResourceKind.PRIMITIVE:
        if not resource.members:
            return None
        resource = status.resources[resource.members[0]]
    return resource


def _members(resource: ResourceStatus, status: ClusterStatus) -> Iterator[ResourceStatus]:
    yield resource
    for member in resource.members:
        yield from _members(status.resources[member], status)


@frozen
class View:
    """A unit as one status shows it; see `memory.Unit` for the words."""

    id: str
    names: frozenset[str]
    wanted: bool
    holders: tuple[str, ...]
    traces: Mapping[str, Trace]
    failures: Mapping[str, Trace]
    fail_counts: Mapping[str, int]
    arrivals: frozenset[str]

    def arrived(self, trace: Trace) -> bool:
        """Say whether the operation brought the unit to its node."""
        return trace.task in self.arrivals

    def completes(self, trace: Trace, before: Trace | None) -> bool:
        """Say whether the operation is the stop that completes a migration whose departure was known before."""
        return trace.task == "stop" and before is not None and before.task == "migrate_to"


def view(resource: ResourceStatus, status: ClusterStatus) -> View:
    """Look at one unit."""
    lead = _lead(resource, status) or resource
    arrivals, departures = (_PROMOTIONS, _DEMOTIONS) if resource.promotable else (_ARRIVALS, _DEPARTURES)
    members = list(_members(resource, status))
    counts: dict[str, int] = {}
    for member in members:
        for node, failures in member.failures.items():
            counts[node] = counts.get(node, 0) + failures.count
    traces = {node: _newest(there, arrivals | departures) for node, there in lead.placements.items()}
    failed = {node: _newest_failure(there) for node, there in lead.placements.items()}
    active = lead.promoted_on if resource.promotable else lead.active_on
    return View(
        id=resource.id,
        names=frozenset(member.id for member in members),
        wanted=all(member.wanted for member in members),
        holders=tuple(node for node in active if _holds(lead.placements[node], traces[node], arrivals)),
        traces={node: trace for node, trace in traces.items() if trace is not None},
        failures={node: trace for node, trace in failed.items() if trace is not None},
        fail_counts=counts,
        arrivals=arrivals,
    )


def _holds(there: Placement, trace: Trace | None, arrivals: frozenset[str]) -> bool:
    """Say whether the unit really is there: what is still on its way in or failed to start counts as active too."""
    if there.pending in arrivals:
        return False
    found = any(op.task == "monitor" and op.rc in _RUNNING and op.status == DONE for op in there.operations)
    return found if trace is None else trace.task in arrivals


def _newest(there: Placement, tasks: frozenset[str]) -> Trace | None:
    done = [op for op in there.operations if op.task in tasks and op.succeeded and op.call_id >= 0]
    return _trace(done[-1]) if done else None


def _newest_failure(there: Placement) -> Trace | None:
    failed = [op for op in there.operations if op.call_id >= 0 and not op.succeeded and op.rc != op.target_rc]
    return _trace(failed[-1]) if failed else None


def _trace(op: Operation) -> Trace:
    # Of an operation that does not recur, last-rc-change is when it began
    ended = op.last_rc_change if op.interval_ms else op.last_rc_change + op.exec_time_ms / 1000
    return Trace(op.task, op.call_id, op.last_rc_change, op.transition, float(ended))
