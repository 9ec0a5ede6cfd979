"""What keeps a resource from running, as far as it is evident: a ban, a node in standby, what it has to wait for. Pure.

This is no scheduler: it names what any person would find who reads the constraints one by one, and says nothing where
scores would have to be added up. What scores of minus infinity, mandatory colocations and orders, tickets, and nodes in
standby or maintenance forbid, nothing else can allow (Pacemaker Explained, "Resource Constraints").
"""

from collections.abc import Iterator, Mapping
from operator import eq, ge, gt, le, lt, ne
from xml.etree.ElementTree import Element

from reconciler.cib.cluster import ClusterStatus, NodeStatus, ResourceStatus
from reconciler.cib.inventory import INFINITY, Configuration, ResourceKind, elements, is_true, score
from reconciler.cib.membership import NodeKind
from reconciler.cib.ping import subjects, tagged

_STARTED = frozenset({None, "", "Started", "Unpromoted", "Slave"})
"""Roles of a constraint that is about running at all."""

_PROMOTED = frozenset({"Promoted", "Master"})


class Hindrances:
    """What keeps resources from running, of one CIB at one moment.

    Args:
        cib: the root.
        status: what that CIB says of the cluster.
    """

    def __init__(self, cib: Element, status: ClusterStatus) -> None:
        self._configuration = Configuration(cib)
        self._status = status
        self._constraints: dict[str, list[Element]] = {}
        tags = tagged(self._configuration)
        for constraint in elements(self._configuration.section("constraints"), *_TAGS):
            about = subjects(constraint, status.resources, tags) if constraint.tag == "rsc_location" else ()
            for name in dict.fromkeys((*about, constraint.get("then" if constraint.tag == "rsc_order" else "rsc", ""))):
                self._constraints.setdefault(name, []).append(constraint)

    def of(self, name: str) -> tuple[str, ...]:
        """Say what keeps a resource that is active on no node from running, one sentence for each cause."""
        resource = self._status.resources.get(name)
        if resource is None:
            return ()
        everywhere = [*self._of_all(), *self._of_resource(resource)]
        return tuple(dict.fromkeys(everywhere or self._by_node(resource)))

    def of_promotion(self, name: str) -> tuple[str, ...]:
        """Say what keeps a resource that runs and is promoted nowhere from being promoted, as far as it is evident."""
        resource = self._status.resources.get(name)
        return () if resource is None else tuple(dict.fromkeys(self._tickets(resource, _PROMOTED)))

    def _of_all(self) -> Iterator[str]:
        """Yield what keeps all resources from running."""
        properties = self._configuration.properties
        if not self._configuration.quorate and properties.get("no-quorum-policy", "stop") in ("stop", "suicide"):
            yield "this part of the cluster has no quorum"
        if self._configuration.flag("stop-all-resources"):
            yield "stop-all-resources is on"
        if self._status.maintenance_mode:
            yield "maintenance-mode is on"

    def _of_resource(self, resource: ResourceStatus) -> Iterator[str]:
        """Yield what keeps it from running anywhere."""
        if not resource.managed and not self._status.maintenance_mode:
            yield "it is not managed"
        for item in self._lineage(resource):
            if item.kind is ResourceKind.GROUP and item is not resource:
                yield from self._before_it(item, resource)
        for constraint in self._about(resource):
            yield from self._needs(constraint)
        yield from self._tickets(resource, _STARTED)

    def _by_node(self, resource: ResourceStatus) -> Iterator[str]:
        """Yield, node by node, what keeps it from running there."""
        reasons: dict[str, list[str]] = {}
        for node in self._status.nodes.values():
            if node.kind is NodeKind.MEMBER:
                for why in self._on(node, resource):
                    reasons.setdefault(why, []).append(node.name)
        for why, nodes in reasons.items():
            yield f"{why} on {' and '.join(nodes)}"

    def _before_it(self, group: ResourceStatus, resource: ResourceStatus) -> Iterator[str]:
        mine = next((index for index, name in enumerate(group.members) if name == resource.id), 0)
        waits = [name for name in group.members[:mine] if not self._runs(name)]
        if waits:
            yield f"it waits for {waits[0]}, which is before it in the group {group.id}"

    def _needs(self, constraint: Element) -> Iterator[str]:
        """Yield what a constraint demands first."""
        mandatory = score(constraint.get("score", "INFINITY")) >= INFINITY
        match constraint.tag:
            case "rsc_colocation" if mandatory and not constraint.get("rsc-role"):
                other = constraint.get("with-rsc", "")
                if not self._runs(other):
                    yield f"{constraint.get('id')}: it must be with {other}, which runs nowhere"
            case "rsc_order" if _starts(constraint):
                first = constraint.get("first", "")
                if not self._runs(first):
                    yield f"{constraint.get('id')}: it waits for {first}, which runs nowhere"

    def _on(self, node: NodeStatus, resource: ResourceStatus) -> Iterator[str]:
        """Yield what keeps it from running on one node; one reason of the node itself is enough."""
        for said, is_so in (
            ("not online", not node.online),
            ("fencing needed", node.unclean),
            ("standby", node.standby or node.standby_onfail),
            ("maintenance", node.maintenance),
        ):
            if is_so:
                yield said
                return
        if any(counter.banned for counter in resource.failures.values() if counter.node == node.name):
            yield "too many failures"
        for constraint in self._about(resource):
            if constraint.tag == "rsc_location":
                yield from self._located(constraint, node)
            elif constraint.tag == "rsc_colocation":
                yield from self._colocated(constraint, node)

    def _located(self, constraint: Element, node: NodeStatus) -> Iterator[str]:
        name = constraint.get("id", "")
        if constraint.get("role") not in _STARTED:
            return
        if constraint.get("node") == node.name and score(constraint.get("score")) <= -INFINITY:
            ban = any(item.id == name and item.kind == "ban" for item in self._status.cli_constraints)
            yield f"{name} forbids it{' (left by crm resource ban or move)' if ban else ''}"
        for item in elements(constraint, "rule"):
            rule = self._configuration.resolve(item)
            if score(rule.get("score")) <= -INFINITY and rule.get("role") in _STARTED and _holds(rule, node):
                seen = ", ".join(dict.fromkeys(_seen(rule, node)))
                yield f"{name} forbids it{f' ({seen})' if seen else ''}"

    def _colocated(self, constraint: Element, node: NodeStatus) -> Iterator[str]:
        if constraint.get("rsc-role") or constraint.get("with-rsc-role") not in _STARTED:
            return
        other, value = constraint.get("with-rsc", ""), score(constraint.get("score", "INFINITY"))
        there = self._status.resources[other].active_on if other in self._status.resources else ()
        if value <= -INFINITY and node.name in there:
            yield f"{constraint.get('id')} keeps it apart from {other}"
        elif value >= INFINITY and there and node.name not in there:
            yield f"{constraint.get('id')} keeps it with {other}"

    def _about(self, resource: ResourceStatus) -> list[Element]:
        """Return the constraints of it, of what contains it, and of what it begins with: a group's first, a clone's."""
        return [constraint for name in self._names(resource) for constraint in self._constraints.get(name, ())]

    def _names(self, resource: ResourceStatus) -> dict[str, None]:
        inner = resource.members[:1] if resource.kind in (ResourceKind.GROUP, ResourceKind.CLONE) else ()
        return dict.fromkeys((*(item.id for item in self._lineage(resource)), *inner))

    def _lineage(self, resource: ResourceStatus) -> Iterator[ResourceStatus]:
        yield resource
        if resource.parent in self._status.resources:
            yield from self._lineage(self._status.resources[resource.parent])

    def _runs(self, name: str) -> bool:
        """Tell whether a resource runs; also of what is no single resource, of which nothing is said."""
        resource = self._status.resources.get(name)
        return resource is None or bool(resource.active_on)

    def _tickets(self, resource: ResourceStatus, roles: frozenset[str | None]) -> Iterator[str]:
        """Yield the tickets that it lacks to be in one of these roles."""
        names = self._names(resource)
        for constraint in elements(self._configuration.section("constraints"), "rsc_ticket"):
            sets = map(self._configuration.resolve, elements(constraint, "resource_set"))
            about = [
                (constraint.get("rsc-role"), {constraint.get("rsc")}),
                *((item.get("role"), {member.get("id") for member in elements(item, "resource_ref")}) for item in sets),
            ]
            concerned = any(role in roles and theirs & names.keys() for role, theirs in about)
            if concerned and not self._granted(constraint.get("ticket", "")):
                yield f"{constraint.get('id')}: the ticket {constraint.get('ticket')} is not granted"

    def _granted(self, ticket: str) -> bool:
        states = self._configuration.cib.iterfind("status/tickets/ticket_state")
        return any(item.get("id") == ticket and is_true(item.get("granted")) for item in states)


_TAGS = ("rsc_location", "rsc_colocation", "rsc_order")


def _starts(order: Element) -> bool:
    """Tell whether an order lets one resource start only after another has."""
    mandatory = order.get("kind", "Mandatory") == "Mandatory" and score(order.get("score", "INFINITY")) > 0
    first = order.get("first-action", "start")
    return mandatory and first == "start" and order.get("then-action", first) == "start"


def _holds(rule: Element, node: NodeStatus) -> bool | None:
    """Judge a rule on a node; None where that takes more than the node's attributes (a date)."""
    parts = [
        _holds(item, node) if item.tag == "rule" else _expression(item, node)
        for item in rule
        if isinstance(item.tag, str)
    ]
    decisive = rule.get("boolean-op") == "or"
    if decisive in parts:
        return decisive
    return None if None in parts or not parts else not decisive


_COMPARISONS = {"eq": eq, "ne": ne, "lt": lt, "lte": le, "gt": gt, "gte": ge}


def _expression(item: Element, node: NodeStatus) -> bool | None:
    """Judge an expression about an attribute of the node, as `accept_attr_expr` in Pacemaker's lib/pengine/rules.c."""
    if item.tag != "expression" or item.get("value-source", "literal") != "literal":
        return None
    operation, wanted = item.get("operation", ""), item.get("value", "")
    seen = _attributes(node).get(item.get("attribute", ""))
    if operation in ("defined", "not_defined"):
        return (seen is not None) is (operation == "defined")
    if operation not in _COMPARISONS:
        return None
    if seen is None:
        return operation == "ne"
    kind = item.get("type") or ("string" if operation in ("eq", "ne") else "number")
    if kind == "string":
        # Pacemaker compares without regard to case.
        return bool(_COMPARISONS[operation](seen.lower(), wanted.lower()))
    try:
        return bool(_COMPARISONS[operation](float(seen), float(wanted))) if kind != "version" else None
    except ValueError:
        return None


def _seen(rule: Element, node: NodeStatus) -> Iterator[str]:
    """Yield the attributes that a rule asks for, as they are."""
    attributes = _attributes(node)
    for name in dict.fromkeys(item.get("attribute", "") for item in rule.iter("expression")):
        if not name.startswith("#"):
            yield f"{name} is {attributes[name]}" if name in attributes else f"{name} is not set"


def _attributes(node: NodeStatus) -> Mapping[str, str]:
    own = {"#uname": node.name, "#id": node.id, "#kind": "remote" if node.kind is not NodeKind.MEMBER else "cluster"}
    return {**node.permanent, **node.transient, **own}
