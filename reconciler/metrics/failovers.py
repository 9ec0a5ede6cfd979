"""Counting failovers: exactly once, on the node where the unit arrives, whatever passes that node's agent misses. Pure.

Every agent counts only arrivals on its own node, so that a sum over all agents counts each move once. An arrival is
known by the identity of its operation (task, call id, time, transition): one that was counted is never counted again.

Accuracy: a unit's count is exact as long as it does not come or go more than twice on a node between two passes of
that node's agent; beyond that at most one arrival per gap is counted, and never more than there were. Away and back
within one gap counts as a recovery where the other node's traces are lost: it crashed, failed at a later attempt, or
was a promoted one that was stopped. The start of a whole cluster counts nothing, and neither does what happened
before there was a memory. Remote and guest nodes have no agent: what arrives there is not counted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from enum import StrEnum

from reconciler.cib.cluster import ClusterStatus, NodeStatus
from reconciler.cib.history import Operation
from reconciler.cib.membership import NodeKind
from reconciler.frozen import frozen
from reconciler.metrics.memory import Cause, Last, Memory, NodeMemory, Tally, Trace, Unit
from reconciler.metrics.units import View, units, view

RETENTION_SECONDS = 7 * 24 * 3600.0
"""For how long the counts of a unit are kept after it was last configured."""

RECENT_SECONDS = 120.0
"""How long before an arrival a failure or somebody's hand may explain it: stopping takes its time."""


class Kind(StrEnum):
    """What happened to a unit: it came from another node, or it was restarted where it was."""

    FAILOVER = "failover"
    RECOVERY = "recovery"


@frozen
class Event:
    """One thing counted. `at` is when the arrival began, `since` when this node's agent had looked last, Unix seconds.

    `duration` is seconds from the failure or stop on the source to the unit's first member being up, None where
    nothing tells it.
    """

    kind: Kind
    resource: str
    source: str
    target: str
    cause: Cause
    at: float
    duration: float | None
    since: float


def observe(
    memory: Memory | None, status: ClusterStatus, local_node: str, now: float, touched: frozenset[str] = frozenset()
) -> tuple[Memory, tuple[Event, ...]]:
    """Compare the cluster with what is remembered of it.

    Args:
        memory: what the pass before returned, or what was loaded; None adopts the placement and counts nothing.
        status: the cluster as it is.
        local_node: the node whose arrivals are counted.
        now: Unix seconds.
        touched: ids of resources that a configuration change touched since the pass before; their moves are planned.
    """
    known = memory if memory is not None and memory.local_node == local_node else None
    local = status.nodes.get(local_node)
    if known is not None and (local is None or not local.online):
        return known, ()  # before it joins, a node shows its own past
    nodes = {node.name: _remember_node(node, status, known, now) for node in status.nodes.values()}
    adopt = known is None or _cluster_started(known, status, local_node)
    found: dict[str, Unit] = {}
    events: list[Event] = []
    for resource in units(status):
        seen = view(resource, status)
        before = known.units.get(seen.id) if known is not None else None
        if known is None or before is None or adopt:
            found[seen.id] = _unit(seen, now, before.tally if before is not None else Tally())
            continue
        comparison = _Comparison(known, before, seen, status, nodes, local_node, _willed(known, seen, status, touched))
        found[seen.id], event = comparison.conclude(now)
        events += [event] if event is not None else []
    for name, unit in known.units.items() if known is not None else ():
        if name not in found and now - unit.seen < RETENTION_SECONDS:
            found[name] = unit
    became_dc = known is not None and status.dc == local_node and known.dc != local_node
    elections = (known.dc_elections if known is not None else 0) + became_dc
    calls = max((op.call_id for op in _operations_on(status, local_node)), default=0)
    manual = tuple(sorted(item.id for item in status.cli_constraints))
    remembered = Memory(
        status.cluster_name, local_node, now, calls, nodes, manual, found, dc=status.dc, dc_elections=elections
    )
    return remembered, tuple(events)


def _operations_on(status: ClusterStatus, node: str) -> Iterator[Operation]:
    for resource in status.resources.values():
        there = resource.placements.get(node)
        yield from there.operations if there is not None else ()


def _cluster_started(memory: Memory, status: ClusterStatus, local_node: str) -> bool:
    """Say whether every node has joined since the memory was made, as far as can be told.

    Membership times tell it (feature set 3.18). Before that, operations do: joining wipes a node's history, so that
    nothing in it is older than the memory, and call ids start anew with Pacemaker.
    """
    online = [node for node in status.nodes.values() if node.online and node.kind is NodeKind.MEMBER]
    if online and all(node.joined for node in online):
        return all(node.joined > memory.at for node in online)
    anew = any(
        0 < op.call_id <= memory.calls and op.last_rc_change > memory.at and not op.interval_ms
        for op in _operations_on(status, local_node)
    )
    return anew and not any(
        0 < op.last_rc_change <= memory.at for node in online for op in _operations_on(status, node.name)
    )


def _remember_node(node: NodeStatus, status: ClusterStatus, known: Memory | None, now: float) -> NodeMemory:
    failures = [resource.failures.get(node.name) for resource in status.resources.values()]
    seen = NodeMemory(
        online=node.online,
        left=not node.online and not node.unclean and not node.expected_up,
        shutdown=node.shutdown,
        standby=node.standby and not node.standby_onfail,
        fail_counts=sum(item.count for item in failures if item is not None),
    )
    before = known.nodes.get(node.name) if known is not None else None
    if before is None:
        return seen
    gone = node.unclean or (not node.online and not seen.left and not before.shutdown)
    asked = seen.shutdown or (seen.left and not node.unclean) or (node.online and seen.standby is not before.standby)
    return replace(
        seen,
        lost=now if before.online and gone else before.lost,
        willed=now if before.online and asked else before.willed,
        trouble=now if seen.fail_counts > before.fail_counts else before.trouble,
    )


def _willed(known: Memory, seen: View, status: ClusterStatus, touched: frozenset[str]) -> bool:
    """Say whether somebody's hand on the unit shows since the pass before."""
    changed = set(known.manual) ^ {item.id for item in status.cli_constraints}
    manual = any(
        name == f"cli-prefer-{resource}" or name.startswith(f"cli-ban-{resource}-on-")
        for name in changed
        for resource in seen.names
    )
    return manual or not seen.wanted or not touched.isdisjoint(seen.names)


def _unit(seen: View, now: float, tally: Tally) -> Unit:
    """Adopt a unit as it is."""
    return Unit(
        holders=seen.holders,
        vacated=(),
        traces=seen.traces,
        failures=seen.failures,
        fail_counts=seen.fail_counts,
        trouble={},
        willed=0.0,
        halted=not seen.wanted,
        seen=now,
        tally=tally,
    )


@frozen
class _Comparison:
    """One unit then and now."""

    known: Memory
    before: Unit
    seen: View
    status: ClusterStatus
    nodes: Mapping[str, NodeMemory]
    local: str
    willed: bool

    def conclude(self, now: float) -> tuple[Unit, Event | None]:
        """Return the unit as it is to be remembered, and what happened to it here, if anything."""
        before, seen = self.before, self.seen
        source, vacated = self._take_over()
        troubled = [node for node in seen.fail_counts if seen.fail_counts[node] > before.fail_counts.get(node, 0)]
        troubled += [node for node in seen.failures if seen.failures[node] != before.failures.get(node)]
        halted = not seen.wanted or (before.halted and not seen.holders)
        unit = Unit(
            holders=seen.holders,
            vacated=vacated,
            # A node that is away for a while must not look new when it is back
            traces={node: t for node, t in {**before.traces, **seen.traces}.items() if node in self.nodes},
            failures={node: t for node, t in {**before.failures, **seen.failures}.items() if node in self.nodes},
            fail_counts=seen.fail_counts,
            trouble={**before.trouble, **dict.fromkeys(troubled, now)},
            willed=now if self.willed else before.willed,
            halted=halted,
            seen=now,
            tally=before.tally,
        )
        event = self._event(unit, source, now)
        if event is not None:
            unit = replace(unit, tally=_count(unit.tally, event))
        return unit, event

    def _take_over(self) -> tuple[str, tuple[str, ...]]:
        """Match arrivals with the places left; return whom the local node replaced, and which places are open."""
        before, seen = self.before, self.seen
        vacated = [node for node in before.vacated if node not in seen.holders or node == self.local]
        vacated += [node for node in before.holders if node not in seen.holders and node not in vacated]
        for node in self._visitors() if vacated else ():
            vacated = [*vacated[1:], node]
        source = ""
        for node in seen.holders:
            if node in before.holders or not vacated:
                continue
            replaced = node if node in vacated else vacated[0]
            vacated.remove(replaced)
            source = replaced if node == self.local else source
        return source, tuple(vacated)

    def _visitors(self) -> list[str]:
        """Return the other nodes that the unit came to and left again since the pass before."""
        arrived = self.before.traces.get(self.local)
        earliest = arrived.at if arrived is not None else 0
        known = (self.local, *self.before.holders, *self.before.vacated)
        return [
            node
            for node, trace in self.seen.traces.items()
            if node not in known and trace.at >= earliest and self._departed(node, trace)
        ]

    def _departed(self, node: str, trace: Trace) -> bool:
        """Say whether the operation is a new departure of a unit that had really been there."""
        before = self.before.traces.get(node)
        if trace == before or self.seen.arrived(trace) or self.seen.completes(trace, before):
            return False
        return not self._failed_first(node, trace)

    def _event(self, unit: Unit, source: str, now: float) -> Event | None:
        trace = self.seen.traces.get(self.local)
        if trace is None or trace == self.before.traces.get(self.local):
            return None
        if self.local not in self.seen.holders:
            source = self._missed_visit(trace)
            return self._new(Kind.FAILOVER, unit, source, trace, now) if source else None
        if not self.seen.arrived(trace):
            return None
        if self.local in self.before.holders or source == self.local:
            source = next(iter(self._visitors()), self.local)
        if source == self.local:
            # The operation may show a pass later than the hand that it is due to.
            planned = unit.willed > self.known.at or self._cause(unit, source, trace, now) is Cause.PLANNED
            return None if self.before.halted or planned else self._new(Kind.RECOVERY, unit, source, trace, now)
        return self._new(Kind.FAILOVER, unit, source, trace, now) if source else None

    def _missed_visit(self, trace: Trace) -> str:
        """Return from where the unit came if it came and left between two passes, so that only the departure shows."""
        known = (*self.before.vacated, *self.before.holders)
        return known[0] if known and self.local not in known and self._departed(self.local, trace) else ""

    def _failed_first(self, node: str, departure: Trace) -> bool:
        """Say whether the departure only cleans up after a failed attempt to arrive."""
        failure = self.seen.failures.get(node)
        attempts = (*self.seen.arrivals, "monitor")
        return (
            failure is not None
            and failure != self.before.failures.get(node)
            and failure.task in attempts
            and failure.call_id < departure.call_id
        )

    def _new(self, kind: Kind, unit: Unit, source: str, trace: Trace, now: float) -> Event:
        cause = self._cause(unit, source, trace, now)
        duration = self._duration(source, trace) if self.seen.arrived(trace) else None
        return Event(kind, self.seen.id, source, self.local, cause, trace.at, duration, self.known.at)

    def _cause(self, unit: Unit, source: str, trace: Trace, now: float) -> Cause:
        """Let the evidence noticed last decide; of what was noticed together, the most telling."""
        origin, here = self.nodes.get(source), self.nodes[self.local]
        if origin is None:
            return Cause.UNPLANNED
        evidence = [
            (origin.lost, 3, Cause.UNPLANNED),
            (unit.trouble.get(source, 0.0), 2, Cause.UNPLANNED),
            (max(unit.willed, origin.willed, here.willed), 1, Cause.PLANNED),
            (now if self.before.halted or origin.standby or origin.shutdown else 0.0, 1, Cause.PLANNED),
            (now if self._cut_off(source) else origin.trouble, 0, Cause.UNPLANNED),
        ]
        noticed, _, cause = max(evidence)
        if noticed > 0 and noticed >= trace.at - RECENT_SECONDS:
            return cause
        return Cause.PLANNED if trace.task == "migrate_from" else Cause.UNKNOWN

    def _cut_off(self, node: str) -> bool:
        """Say whether the node's ping score is below what the location rules ask for the unit."""
        for ping in self.status.pings:
            score = ping.scores.get(node)
            for requirement in ping.required:
                if requirement.resource in self.seen.names and (score is None or score < requirement.minimum):
                    return True
        return False

    def _duration(self, source: str, arrival: Trace) -> float | None:
        failure, departure = self.seen.failures.get(source), self.seen.traces.get(source)
        begins = [failure.at] if failure is not None and failure != self.before.failures.get(source) else []
        if departure is not None and not self.seen.arrived(departure):
            begins.append(departure.at)
        begins = [at for at in begins if 0 < at <= arrival.ended and arrival.ended - at < RECENT_SECONDS * 10]
        return arrival.ended - min(begins) if begins else None


def _count(tally: Tally, event: Event) -> Tally:
    if event.kind is Kind.RECOVERY:
        return replace(tally, recoveries=tally.recoveries + 1)
    return replace(
        tally,
        failovers={**tally.failovers, event.cause: tally.failovers.get(event.cause, 0) + 1},
        last_at={**tally.last_at, event.cause: event.at},
        last=Last(event.at, event.source, event.cause, event.duration),
    )
