"""What objects say of each other: references to nothing, cycles, two owners of one resource. Pure."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from reconciler.kinds import CLUSTER_KINDS, key
from reconciler.kinds.node_network import NodeNetwork
from reconciler.kinds.primitive import Primitive
from reconciler.network.owned import cluster_owned
from reconciler.network.steps import conflicts
from reconciler.state import Ref, Rejected, State


def check(state: State, files: Mapping[Ref, str], spoiled: frozenset[Ref] | None = frozenset()) -> list[Rejected]:
    """Return every fault between the objects of a set, each at the object and field that says it.

    `spoiled` are objects that the set has too, but with faults of their own; None if there may be others, of which not
    even the names are known: then nothing can be said of references to nothing.
    """
    cluster = {ref: spec for ref, spec in state.items() if ref.kind in CLUSTER_KINDS}
    faults = [*_dangling(cluster, files, spoiled), *_cycles(cluster, files), *_shared_members(cluster, files)]
    return sorted({*faults, *_networks(state, files)})


def _dangling(state: State, files: Mapping[Ref, str], spoiled: frozenset[Ref] | None) -> Iterator[Rejected]:
    names = {key(ref): ref for ref in state}
    excused = {ref.name for ref in spoiled or ()}
    for ref, spec in state.items():
        for reference in CLUSTER_KINDS[ref.kind].references(spec):
            found = names.get(reference.name)
            if found is None and (spoiled is None or reference.name in excused):
                continue
            if found is None:
                fitting = [name for name, other in names.items() if other.kind in reference.kinds]
                close = get_close_matches(reference.name, fitting, n=1)
                hint = f"; did you mean {close[0]!r}?" if close else ""
                message = f"there is no {_kinds(reference.kinds)} {reference.name!r}{hint}"
                yield Rejected(files[ref], str(ref), f"spec.{reference.field}", message)
            elif found.kind not in reference.kinds:
                message = f"{found} is a {found.kind}; expected a {_kinds(reference.kinds)}"
                yield Rejected(files[ref], str(ref), f"spec.{reference.field}", message)


def _kinds(kinds: frozenset[str]) -> str:
    return " or ".join(name for name in CLUSTER_KINDS if name in kinds)


def _cycles(state: State, files: Mapping[Ref, str]) -> Iterator[Rejected]:
    names = {key(ref): ref for ref in state}
    inside = {ref: [names[name] for name in _members(ref, state) if name in names] for ref in state}
    for start in state:
        circle = _way_back(start, inside)
        if circle:
            yield Rejected(files[start], str(start), _field(start), f"a cycle: {' -> '.join(map(str, circle))}")


def _way_back(start: Ref, inside: Mapping[Ref, list[Ref]]) -> tuple[Ref, ...]:
    ways: list[tuple[Ref, ...]] = [(start, inner) for inner in inside[start]]
    seen: set[Ref] = set()
    while ways:
        way = ways.pop()
        if way[-1] == start:
            return way
        if way[-1] not in seen:
            seen.add(way[-1])
            ways += [(*way, inner) for inner in inside[way[-1]]]
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


def _networks(state: State, files: Mapping[Ref, str]) -> Iterator[Rejected]:
    """Find two networks for one node, and addresses that a resource of the same set puts on its links."""
    primitives = [
        (spec.agent, item.values) for spec in state.values() if isinstance(spec, Primitive) for item in spec.params
    ]
    owned = cluster_owned(None, primitives=primitives)
    first: dict[str, Ref] = {}
    for ref, spec in sorted(state.items(), key=lambda item: item[0]):
        if not isinstance(spec, NodeNetwork):
            continue
        if spec.node in first:
            yield Rejected(files[ref], str(ref), "spec.node", f"{first[spec.node]} is for {spec.node!r} already")
        first.setdefault(spec.node, ref)
        for field, message in conflicts(spec, owned):
            yield Rejected(files[ref], str(ref), f"spec.{field}", message)
