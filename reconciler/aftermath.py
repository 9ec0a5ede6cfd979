"""What really happened to resources between two moments, in the words of a forecast. Pure.

Placements say where a resource was and is. Whether it was interrupted meanwhile and is back where it was, its history
says: a start or promotion that was not in it before. Clocks are not asked, as each node has its own. A reload is in the
history as a start (measured with 2.1.5), so only the forecast can tell both apart.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from reconciler.cib.cluster import ClusterStatus, Placement, ResourceStatus
from reconciler.cib.failures import base_name, fail_counts
from reconciler.cib.history import Operation
from reconciler.cib.inventory import ResourceKind
from reconciler.cib.simulation import Act, Effect

_BEGINS = frozenset({"start", "migrate_from", "promote"})
_MOST = 1_000_000
"""Pacemaker's INFINITY: a count that does not rise any more."""


def subjects(status: ClusterStatus) -> Mapping[str, ResourceStatus]:
    """Return the resources that a forecast speaks of: primitives, connections to guests, bundles as a whole."""
    kinds = (ResourceKind.PRIMITIVE, ResourceKind.BUNDLE)
    return {
        name: item
        for name, item in status.resources.items()
        if item.kind in kinds and not (item.implicit and item.parent)
    }


def happened(before: ClusterStatus, after: ClusterStatus, forecast: Iterable[Effect] = ()) -> tuple[Effect, ...]:
    """Return what happened to resources, one effect for each resource and node, or pair of nodes.

    Of what happened twice the last counts. Instances of a unique clone on one node count as one. What the `forecast`
    calls a reload counts as one.
    """
    then, now = subjects(before), subjects(after)
    reloads = {(effect.resource, effect.node) for effect in forecast if effect.verb is Act.RELOAD}
    found = (
        effect for name in dict.fromkeys((*then, *now)) for effect in _resource(name, then.get(name), now.get(name))
    )
    return tuple(
        replace(effect, verb=Act.RELOAD)
        if effect.verb is Act.RESTART and (effect.resource, effect.node) in reloads
        else effect
        for effect in found
    )


def _resource(name: str, then: ResourceStatus | None, now: ResourceStatus | None) -> Iterator[Effect]:
    were, are = _active(then), _active(now)
    gone, come = sorted(were.keys() - are.keys()), sorted(are.keys() - were.keys())
    failed = {node for node, there in were.items() if there.failed}
    while gone and come:
        source, target = gone.pop(0), come.pop(0)
        live = any(op.task == "migrate_from" and op.succeeded for op in _new(then, now, target))
        act = Act.MIGRATE if live else Act.RECOVER if source in failed else Act.MOVE
        yield Effect(act, name, source, target)
    yield from (Effect(Act.STOP, name, node) for node in gone)
    for node in come:
        yield Effect(Act.PROMOTE if are[node].promoted else Act.START, name, "", node)
    for node in sorted(were.keys() & are.keys()):
        stayed = _in_place(were[node], are[node], tuple(_new(then, now, node)), failed=node in failed)
        if stayed is not None:
            yield Effect(stayed, name, node, node)


def _in_place(then: Placement, now: Placement, new: Iterable[Operation], *, failed: bool) -> Act | None:
    """Say what happened to a resource that was and is active on a node."""
    if then.promoted != now.promoted:
        return Act.PROMOTE if now.promoted else Act.DEMOTE
    if any(op.task in _BEGINS for op in new):
        return Act.RECOVER if failed else Act.RESTART
    return None


def interrupted(then: ResourceStatus | None, now: ResourceStatus | None, node: str) -> bool:
    """Tell whether a resource that was and is active on a node was started, reloaded or promoted there meanwhile.

    Not said of what was under way then: it may be the start that was under way.
    """
    there = then.placements.get(node) if then else None
    return not (there and there.pending) and any(op.task in _BEGINS for op in _new(then, now, node))


def failures(before: ClusterStatus, now: ResourceStatus) -> Mapping[str, int]:
    """Return by how much the fail counts of a resource rose, by node; 1000000 where a count became INFINITY.

    They outlive the resource: one that is new may have counts of another of that name that was there before.
    """
    counts = {
        node.name: max((item.count for name, item in found.items() if base_name(name) == now.id), default=0)
        for node in before.nodes.values()
        if (found := fail_counts(node.transient, before.feature_set))
    }
    risen = {node: item.count - counts.get(node, 0) for node, item in now.failures.items()}
    return {node: _MOST if now.failures[node].count >= _MOST else more for node, more in risen.items() if more > 0}


def _active(resource: ResourceStatus | None) -> dict[str, Placement]:
    return {name: there for name, there in resource.placements.items() if there.active} if resource else {}


def _new(then: ResourceStatus | None, now: ResourceStatus | None, node: str) -> Iterator[Operation]:
    """Yield the operations in the history of a node that were not there before."""
    old = {_identity(op) for op in _history(then, node)}
    return (op for op in _history(now, node) if _identity(op) not in old)


def _history(resource: ResourceStatus | None, node: str) -> tuple[Operation, ...]:
    there = resource.placements.get(node) if resource else None
    return there.operations if there else ()


def _identity(op: Operation) -> tuple[str, int, str, int]:
    return op.task, op.call_id, op.transition, op.graph
