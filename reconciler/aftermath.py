"""What really happened to resources between two moments, in the words of a forecast. Pure.

Placements say where a resource was and is. Whether it was interrupted meanwhile and is back where it was, its history
says: a start or promotion that was not in it before. Clocks are not asked, as each node has its own.
"""

from collections.abc import Iterable, Iterator, Mapping

from reconciler.cib.cluster import ClusterStatus, Placement, ResourceStatus
from reconciler.cib.history import Operation
from reconciler.cib.inventory import ResourceKind
from reconciler.cib.simulation import Act, Effect

_BEGINS = frozenset({"start", "migrate_from", "promote"})
_RELOADS = frozenset({"reload", "reload-agent"})
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


def happened(before: ClusterStatus, after: ClusterStatus) -> tuple[Effect, ...]:
    """Return what happened to resources, one effect for each resource and node, or pair of nodes.

    Of what happened twice the last counts. Instances of a unique clone on one node count as one.
    """
    then, now = subjects(before), subjects(after)
    return tuple(
        effect for name in dict.fromkeys((*then, *now)) for effect in _resource(name, then.get(name), now.get(name))
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
    tasks = {op.task for op in new}
    if tasks & _BEGINS:
        return Act.RECOVER if failed else Act.RESTART
    return Act.RELOAD if tasks & _RELOADS else None


def interrupted(then: ResourceStatus | None, now: ResourceStatus | None, node: str) -> bool:
    """Tell whether a resource that was and is active on a node was started or promoted there meanwhile.

    Not said of what was under way then: it may be the start that was under way.
    """
    there = then.placements.get(node) if then else None
    return not (there and there.pending) and any(op.task in _BEGINS for op in _new(then, now, node))


def reloaded(then: ResourceStatus | None, now: ResourceStatus | None, node: str) -> bool:
    """Tell whether a resource took over new parameters without a restart."""
    return any(op.task in _RELOADS for op in _new(then, now, node))


def failures(then: ResourceStatus | None, now: ResourceStatus) -> Mapping[str, int]:
    """Return by how much the fail counts rose, by node; 1000000 where a count became INFINITY."""
    counts = {node: item.count for node, item in then.failures.items()} if then else {}
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
