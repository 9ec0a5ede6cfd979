"""Which objects belong together: the file that each is written to. Pure.

Resources that a colocation or an order puts together are one service, with the constraints that name them. What
concerns several services, or none, has a file of its own, and so has what is no service.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from reconciler.kinds import CLUSTER_KINDS
from reconciler.kinds.colocation import Colocation
from reconciler.kinds.group import Group
from reconciler.kinds.location import Location
from reconciler.kinds.order import Order
from reconciler.kinds.primitive import Primitive
from reconciler.kinds.tag import Tag
from reconciler.kinds.template import Template
from reconciler.kinds.ticket import Ticket
from reconciler.state import Ref, Spec, State

CLUSTER, NODES, FENCING, ACCESS = "cluster", "nodes", "fencing", "access"
ALERTS, TAGS, TEMPLATES, CONSTRAINTS = "alerts", "tags", "templates", "constraints"
FILES = (CLUSTER, NODES, FENCING, ACCESS, ALERTS, TAGS, TEMPLATES, CONSTRAINTS)
"""The files for what is no service, in the order in which they are read."""

_PLACES = {
    "ClusterProperties": CLUSTER,
    "ResourceDefaults": CLUSTER,
    "OperationDefaults": CLUSTER,
    "Node": NODES,
    "FencingTopology": FENCING,
    "AclRole": ACCESS,
    "AclUser": ACCESS,
    "AclGroup": ACCESS,
    "Alert": ALERTS,
    "Tag": TAGS,
}
_FENCES = "stonith:"
_SUPPORTING = re.compile(r"IPaddr|IPv6addr|IPsrcaddr|Filesystem|LVM|volume|mount|ping|iscsi|nfs", re.IGNORECASE)
"""Agents of what a service needs, rather than of the service."""


@dataclass(frozen=True)
class _Resources:
    """The resources of a configuration: who is inside whom, what fences, what a name in a constraint means."""

    state: State
    by_name: Mapping[str, Ref]
    joined: dict[Ref, Ref] = field(default_factory=dict)

    @cached_property
    def parents(self) -> dict[Ref, Ref]:
        """The container that a resource is in."""
        found = {}
        for ref, spec in self.state.items():
            for name in CLUSTER_KINDS[ref.kind].members(spec):
                if name in self.by_name:
                    found[self.by_name[name]] = ref
        return found

    @cached_property
    def made_from(self) -> dict[Ref, list[Ref]]:
        """The primitives that are made from a template."""
        found: dict[Ref, list[Ref]] = {}
        for ref, spec in self.state.items():
            template = self.by_name.get(spec.template or "") if isinstance(spec, Primitive) else None
            if template:
                found.setdefault(template, []).append(ref)
        return found

    def top(self, ref: Ref) -> Ref:
        """Return the outermost container."""
        while ref in self.parents:
            ref = self.parents[ref]
        return ref

    def meant(self, name: str) -> list[Ref]:
        """Return the outermost resources that a name in a constraint stands for: a tag for all that it lists."""
        ref = self.by_name.get(name)
        spec = self.state[ref] if ref else None
        if ref is None:
            return []
        if isinstance(spec, Tag):
            inner = (self.by_name.get(listed) for listed in spec.objects)
            return [self.top(one) for one in inner if one and _is_resource(one)]
        if isinstance(spec, Template):
            return [self.top(one) for one in self.made_from.get(ref, [])]
        return [self.top(ref)] if _is_resource(ref) else []

    def root(self, ref: Ref) -> Ref:
        """Return the resource by which all that are joined with this one are found."""
        while (other := self.joined.get(ref, ref)) != ref:
            self.joined[ref] = self.joined.get(other, other)
            ref = other
        return ref

    def join(self, refs: Iterable[Ref]) -> None:
        """Put resources together."""
        for one, other in pairwise(refs):
            first, second = self.root(one), self.root(other)
            if first != second:
                self.joined[second] = first


def _is_resource(ref: Ref) -> bool:
    kind = CLUSTER_KINDS[ref.kind]
    return kind.section == "resources" and ref.kind != "Template"


def services(state: State) -> dict[Ref, str]:
    """Return the name of the file, without its ending, for every object of a configuration, in its order.

    `state` is in the order of the CIB, by which names are the same for the same configuration. No two names differ only
    in case, and none has a character that a file's name should not have.
    """
    found = _Resources(state, {ref.name: ref for ref in state if not CLUSTER_KINDS[ref.kind].named_apart})
    fencing = {ref for ref, spec in state.items() if _is_resource(ref) and _fences(ref, spec, found)}
    followers: set[Ref] = set()
    leaders: set[Ref] = set()
    for spec in state.values():
        named, led = _bound(spec, found)
        found.join([ref for ref in named if ref not in fencing])
        followers.update(named)
        leaders.update(led)
    tops = [ref for ref in state if _is_resource(ref) and ref not in found.parents and ref not in fencing]
    together = _together(tops, found)
    wishes = {root: _service_name(refs, leaders, state) for root, refs in together.items()}
    alone = [refs[0] for refs in together.values() if len(refs) == 1]
    if len(alone) > _MANY:
        wishes |= _by_agent(alone, found)
        together = _together(tops, found)
    names = _named({root: wishes[root] for root in together})
    return {ref: _place(ref, spec, found, names, fencing) for ref, spec in state.items()}


_MANY = 50
"""Beyond so many services of one resource each nobody wants a file for every one."""


def _together(tops: Iterable[Ref], found: _Resources) -> dict[Ref, list[Ref]]:
    together: dict[Ref, list[Ref]] = {}
    for ref in tops:
        together.setdefault(found.root(ref), []).append(ref)
    return together


def _by_agent(alone: Iterable[Ref], found: _Resources) -> dict[Ref, str]:
    """Put together what is alone and has the same agent or template; return what each such file is to be called."""
    alike: dict[str, list[Ref]] = {}
    for ref in alone:
        spec = found.state[ref]
        if isinstance(spec, Primitive):
            alike.setdefault((spec.agent or spec.template or "").rpartition(":")[2], []).append(ref)
    for refs in alike.values():
        found.join(refs)
    return {found.root(refs[0]): agent for agent, refs in alike.items()}


def _fences(ref: Ref, spec: Spec, found: _Resources) -> bool:
    if isinstance(spec, Primitive):
        template = found.state.get(found.by_name.get(spec.template or "", ref))
        agent = spec.agent or (template.agent if isinstance(template, Template) else None)
        return (agent or "").startswith(_FENCES)
    inside = [found.by_name[name] for name in CLUSTER_KINDS[ref.kind].members(spec) if name in found.by_name]
    return bool(inside) and all(_fences(inner, found.state[inner], found) for inner in inside)


def _bound(spec: Spec, found: _Resources) -> tuple[list[Ref], list[Ref]]:
    """Return the resources that a constraint puts together, and those of them that others follow."""
    if not isinstance(spec, Colocation | Order) or (isinstance(spec, Colocation) and _apart(spec)):
        return [], []
    led = spec.with_ if isinstance(spec, Colocation) else spec.first
    names = [name for name in _names(spec) if name]
    return [ref for name in names for ref in found.meant(name)], found.meant(led) if led else []


def _apart(spec: Colocation) -> bool:
    return (spec.score or "").startswith("-")


def _names(spec: Spec) -> Iterator[str | None]:
    match spec:
        case Colocation():
            yield from (spec.resource, spec.with_)
        case Order():
            yield from (spec.first, spec.then)
        case Location() | Ticket():
            yield spec.resource
    if isinstance(spec, Colocation | Order | Location | Ticket):
        for item in spec.sets:
            yield from item.resources


def _service_name(refs: list[Ref], leaders: set[Ref], state: State) -> str:
    """Name a service after what others do not follow, and rather a group than a primitive than an address."""

    def likely(ref: Ref) -> tuple[bool, bool, bool]:
        spec = state[ref]
        agent = (spec.agent or "") if isinstance(spec, Primitive) else ""
        return not isinstance(spec, Group), bool(_SUPPORTING.search(agent)), ref in leaders

    return min(refs, key=likely).name


_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]")
_LONGEST = 80


def _named(wishes: Mapping[Ref, str]) -> dict[Ref, str]:
    used = {name.lower() for name in FILES}
    names: dict[Ref, str] = {}
    for root, wish in wishes.items():
        # What begins with a point or an underscore is put aside, and never read.
        name = base = _UNSAFE.sub("_", wish).lstrip("._-")[:_LONGEST] or "service"
        number = 1
        while name.lower() in used:
            number += 1
            name = f"{base}-{number}"
        used.add(name.lower())
        names[root] = name
    return names


def _place(ref: Ref, spec: Spec, found: _Resources, names: Mapping[Ref, str], fencing: set[Ref]) -> str:
    if ref.kind in _PLACES:
        return _PLACES[ref.kind]
    if _is_resource(ref):
        top = found.top(ref)
        return FENCING if top in fencing else names[found.root(top)]
    if isinstance(spec, Template):
        return _common([found.top(one) for one in found.made_from.get(ref, [])], found, names, fencing) or TEMPLATES
    refs = [one for name in _named_by(spec, found) for one in found.meant(name)]
    first = refs[:1] if isinstance(spec, Colocation) and _apart(spec) else refs
    return _common(first, found, names, fencing) or CONSTRAINTS


def _named_by(spec: Spec, found: _Resources) -> list[str]:
    if isinstance(spec, Location) and spec.resource_pattern:
        try:
            pattern = re.compile(spec.resource_pattern)
        except re.error:
            return []
        return [ref.name for ref in found.state if _is_resource(ref) and pattern.search(ref.name)]
    return [name for name in _names(spec) if name]


def _common(refs: Iterable[Ref], found: _Resources, names: Mapping[Ref, str], fencing: set[Ref]) -> str | None:
    """Return the one service that all these belong to, if it is one; fencing only where nothing else is concerned."""
    places = {FENCING if ref in fencing else names[found.root(ref)] for ref in refs}
    services = places - {FENCING}
    if len(services) == 1:
        return services.pop()
    return FENCING if places == {FENCING} else None
