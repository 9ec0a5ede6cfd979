"""What objects say of each other: references to nothing, cycles, two owners of one, orders after itself. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import TypeVar
from xml.etree import ElementTree as ET

from reconciler import rendered
from reconciler.cib import rules
from reconciler.kinds import CLUSTER_KINDS, KINDS, key
from reconciler.kinds.base import RESOURCES, Reference
from reconciler.kinds.identity import given_ids, located, referred_ids
from reconciler.kinds.node_network import NodeNetwork
from reconciler.kinds.primitive import Primitive
from reconciler.kinds.resource_set import ResourceSet
from reconciler.kinds.rule import Rule
from reconciler.kinds.sync_policy import SyncPolicy
from reconciler.kinds.tag import Tag
from reconciler.orders import Orders
from reconciler.state import CHANGEABLE, Ref, Rejected, State

Node = TypeVar("Node")


def check(state: State, files: Mapping[Ref, str], spoiled: frozenset[Ref] | None = frozenset()) -> list[Rejected]:
    """Return every fault between the objects of a set, each at the object and field that says it.

    `spoiled` are objects that the set has too, but with faults of their own; None if there may be others, of which not
    even the names are known: then nothing can be said of references to nothing.
    """
    cluster = {ref: spec for ref, spec in state.items() if ref.kind in CLUSTER_KINDS}
    faults = [
        *_dangling(cluster, files, spoiled),
        *_ids(cluster, files, spoiled),
        *_cycles(cluster, files),
        *_rule_circles(cluster, files),
        *_sets_of_their_own(cluster, files),
        *_tags_without_end(cluster, files),
        *_shared_members(cluster, files),
    ]
    whole = rendered.configuration(cluster) if not faults and not spoiled and rendered.is_needed(cluster) else None
    faults += [*_after_itself(cluster, files), *_networks(state, files, whole), *_policies(state, files)]
    return sorted(set(faults))


def _dangling(state: State, files: Mapping[Ref, str], spoiled: frozenset[Ref] | None) -> Iterator[Rejected]:
    names = {key(ref): ref for ref in state}
    excused = {ref.name for ref in spoiled or ()}
    hints: dict[tuple[str, frozenset[str] | None], str] = {}
    for ref, spec in state.items():
        for reference in CLUSTER_KINDS[ref.kind].references(spec):
            found = names.get(reference.name)
            if found is None and (reference.loose or spoiled is None or reference.name in excused):
                continue
            if found is None:
                wrong = (reference.name, reference.kinds)
                if wrong not in hints and len(hints) < _HINTED:
                    hints[wrong] = _hint(reference, names)
                message = f"there is no {_kinds(reference.kinds)} {reference.name!r}{hints.get(wrong, '')}"
                yield Rejected(files[ref], str(ref), f"spec.{reference.field}", message)
            elif not reference.fits(found.kind):
                message = f"{found} is a {found.kind}; expected a {_kinds(reference.kinds)}"
                yield Rejected(files[ref], str(ref), f"spec.{reference.field}", message)


_HINTED = 10
"""Of so many wrong names it is looked for what was meant, which takes a moment for each name that there is."""


def _hint(reference: Reference, names: Mapping[str, Ref]) -> str:
    fitting = [name for name, other in names.items() if reference.fits(other.kind)]
    close = get_close_matches(reference.name, fitting, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _kinds(kinds: frozenset[str] | None) -> str:
    if kinds is None or kinds == RESOURCES:
        return "resource" if kinds else "object"
    return " or ".join(name for name in CLUSTER_KINDS if name in kinds)


def _ids(state: State, files: Mapping[Ref, str], spoiled: frozenset[Ref] | None) -> Iterator[Rejected]:
    """Find ids of parts of objects that are given twice, or that something refers to and nothing has."""
    owners = {key(ref): ref for ref in state}
    for ref, spec in state.items():
        for path, name in given_ids(spec):
            if name in owners:
                yield Rejected(files[ref], str(ref), f"spec.{path}", f"{owners[name]} has the id {name!r} already")
            owners.setdefault(name, ref)
    for ref, spec in state.items() if spoiled == frozenset() else ():
        for path, name in referred_ids(spec):
            if name not in owners:
                message = f"nothing has the id {name!r}: give it to what is meant, by `id`"
                yield Rejected(files[ref], str(ref), f"spec.{path}", message)


def _cycles(state: State, files: Mapping[Ref, str]) -> Iterator[Rejected]:
    names = {key(ref): ref for ref in state}
    inside = {ref: [names[name] for name in _members(ref, state) if name in names] for ref in state}
    for start in state:
        circle = _way_back(start, inside)
        if circle:
            yield Rejected(files[start], str(start), _field(start), f"a cycle: {' -> '.join(map(str, circle))}")


def _way_back(start: Node, inside: Mapping[Node, Sequence[Node]]) -> tuple[Node, ...]:
    """Return a way from a node of a graph back to itself; none if there is none."""
    ways: list[tuple[Node, ...]] = [(start, inner) for inner in inside[start]]
    seen: set[Node] = set()
    while ways:
        way = ways.pop()
        if way[-1] == start:
            return way
        if way[-1] not in seen:
            seen.add(way[-1])
            ways += [(*way, inner) for inner in inside.get(way[-1], ())]
    return ()


def _rule_circles(state: State, files: Mapping[Ref, str]) -> Iterator[Rejected]:
    """Find rules that come back to themselves: Pacemaker's scheduler follows them until it dies (measured: 2.1.5)."""
    found = {
        part.id: (ref, path, tuple(rules.references(rules.parse(part.expression))))
        for ref, spec in state.items()
        for path, part in located(spec, Rule)
        if part.id is not None and part.expression is not None
    }
    inside = {name: names for name, (_, _, names) in found.items()}
    for name, (ref, path, _) in found.items():
        if circle := _way_back(name, inside):
            way = " -> ".join(circle)
            message = f"the rule refers to itself ({way}): Pacemaker's scheduler dies of that"
            yield Rejected(files[ref], str(ref), f"spec.{path}.expression", message)


def _sets_of_their_own(state: State, files: Mapping[Ref, str]) -> Iterator[Rejected]:
    """Find sets that refer to another of the same constraint: the scheduler never ends with them (measured: 2.1.5)."""
    for ref, spec in state.items():
        sets = located(spec, ResourceSet)
        own = {part.id for _, part in sets if part.id is not None}
        for path, part in sets:
            if part.id_ref in own:
                message = f"{part.id_ref!r} is a set of the same constraint: Pacemaker's scheduler never ends with that"
                yield Rejected(files[ref], str(ref), f"spec.{path}.id-ref", message)


def _tags_without_end(state: State, files: Mapping[Ref, str]) -> Iterator[Rejected]:
    """Find sets with tags that come back to themselves: the scheduler puts their objects in for ever.

    Measured with 2.1.5 (`expand_tags_in_sets` in pacemaker `lib/pacemaker/pcmk_sched_constraints.c`); outside of sets
    such tags do no harm.
    """
    inside = {ref.name: spec.objects for ref, spec in state.items() if isinstance(spec, Tag)}
    circles = {name: circle for name in inside if (circle := _way_back(name, inside))}
    for ref, spec in state.items() if circles else ():
        for path, part in located(spec, ResourceSet):
            for index, name in enumerate(part.resources):
                if circle := _circle_within(name, inside, circles):
                    message = f"a tag holds itself ({' -> '.join(circle)}): Pacemaker's scheduler never ends with that"
                    yield Rejected(files[ref], str(ref), f"spec.{path}.resources[{index}]", message)


def _circle_within(
    name: str, inside: Mapping[str, Sequence[str]], circles: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """Return the first circle that one comes to from a tag; none if there is none."""
    reached = [name]
    for tag in reached:
        if tag in circles:
            return circles[tag]
        reached += [inner for inner in inside.get(tag, ()) if inner not in reached]
    return ()


def _field(container: Ref) -> str:
    return "spec.resources" if container.kind == "Group" else "spec.resource"


def _members(ref: Ref, state: State) -> tuple[str, ...]:
    return CLUSTER_KINDS[ref.kind].members(state[ref])


def _shared_members(state: State, files: Mapping[Ref, str]) -> Iterator[Rejected]:
    holder: dict[str, Ref] = {}
    for ref in sorted(state):
        for name in _members(ref, state):
            if name in holder:
                yield Rejected(files[ref], str(ref), _field(ref), f"{name!r} is already inside {holder[name]}")
            holder.setdefault(name, ref)


def _after_itself(state: State, files: Mapping[Ref, str]) -> Iterator[Rejected]:
    """Find orders of an action after itself: Pacemaker's scheduler aborts on one, again and again, and nothing runs.

    Measured with 2.1.5 (the assertion in pacemaker `lib/pengine/utils.c`, `order_actions`).
    """
    orders = Orders(state)
    for ref, order in orders.all():
        for step in orders.steps(order):
            (first, first_action), (then, then_action) = step.first, step.then
            if first_action == then_action and orders.scheduled(first) == orders.scheduled(then):
                who = f"{first!r} after itself" if first == then else f"{then!r} after {first!r}, which share a clone"
                yield Rejected(files[ref], str(ref), step.field, f"{who}: Pacemaker's scheduler aborts on that")


def _networks(state: State, files: Mapping[Ref, str], whole: ET.Element | None) -> Iterator[Rejected]:
    """Find two networks for one node, and addresses that a resource of the same set puts on its links."""
    networks = [(ref, spec) for ref in sorted(state) if isinstance(spec := state[ref], NodeNetwork)]
    if not networks:
        return
    # They know all of the kernel's rules: whoever has no networks is not to wait for them.
    from reconciler.network.owned import cluster_owned  # noqa: PLC0415
    from reconciler.network.steps import conflicts  # noqa: PLC0415

    primitives = [
        (spec.agent, item.values)
        for spec in state.values()
        if isinstance(spec, Primitive) and spec.agent
        for item in spec.params
    ]
    owned = cluster_owned(None, () if whole is None else (whole,), primitives)
    first: dict[str, Ref] = {}
    for ref, spec in networks:
        if spec.node in first:
            yield Rejected(files[ref], str(ref), "spec.node", f"{first[spec.node]} is for {spec.node!r} already")
        first.setdefault(spec.node, ref)
        for field, message in conflicts(spec, owned):
            yield Rejected(files[ref], str(ref), f"spec.{field}", message)


def _policies(state: State, files: Mapping[Ref, str]) -> Iterator[Rejected]:
    """Find a second SyncPolicy, and kinds in one that there are not."""
    first: Ref | None = None
    for ref, spec in sorted(state.items(), key=lambda item: item[0]):
        if not isinstance(spec, SyncPolicy):
            continue
        if first:
            yield Rejected(
                files[ref], str(ref), "kind", f"{first} in {files[first]} is the SyncPolicy: there can be one"
            )
        first = first or ref
        known = {kind.name.lower(): kind.name for kind in KINDS.values() if kind.scope in CHANGEABLE}
        for name in spec.kinds:
            if name not in known.values():
                close = get_close_matches(name.lower(), known, n=1, cutoff=0.5)
                hint = f"did you mean {known[close[0]]!r}?" if close else f"expected one of {', '.join(known.values())}"
                yield Rejected(files[ref], str(ref), f"spec.kinds.{name}", f"{name!r} is no kind to enforce; {hint}")
