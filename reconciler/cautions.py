"""What is allowed and yet dangerous, or does not do what it seems to: said with the plan, never in its way. Pure."""

from collections.abc import Iterator, Mapping
from xml.etree import ElementTree as ET

from reconciler.cib import rules
from reconciler.cib.document import NAMED_BY_ID
from reconciler.cib.fencing import FENCING, STONITH, Fencing, fencing
from reconciler.cib.inventory import score
from reconciler.cib.values import property_value
from reconciler.kinds import CLUSTER_KINDS
from reconciler.kinds.base import Reference
from reconciler.kinds.cluster_properties import ClusterProperties
from reconciler.kinds.fencing_topology import FencingTopology
from reconciler.kinds.identity import located
from reconciler.kinds.location import Location
from reconciler.kinds.nvset import value_in
from reconciler.kinds.observe import Observed
from reconciler.kinds.primitive import Primitive
from reconciler.kinds.rule import Rule
from reconciler.kinds.template import Template
from reconciler.plan import Change
from reconciler.state import Ref, Spec, State
from reconciler.waiting import left

_FEW = 3
"""So many objects are named in one sentence."""

_FIRST = "cib-bootstrap-options"
"""Pacemaker reads this property set before the others (`lib/pengine/rules.c`, `sort_pairs`)."""


def cautions(
    changes: Mapping[Ref, Change], wanted: State, observed: Observed, configuration: ET.Element | None
) -> tuple[str, ...]:
    """Return one sentence for each; `configuration` is what the changes lead to, None if there are none."""
    after = _after(changes, observed) if changes else observed.state
    found = [
        *_fencing(after, observed),
        *_overruled(wanted, after),
        *_left_outside(changes, wanted, observed),
        *_no_such_node(wanted, after, observed),
        *_no_such_device(wanted, after, observed),
        *_doubtful_rules(changes),
        *(_without_effect(changes, observed, configuration) if configuration is not None else ()),
    ]
    return tuple(dict.fromkeys(found))


def _after(changes: Mapping[Ref, Change], observed: Observed) -> State:
    there = {**observed.state, **{ref: change.after for ref, change in changes.items()}}
    return {ref: spec for ref, spec in there.items() if spec is not None}


def _properties(state: State) -> Iterator[tuple[str, str, str]]:
    """Yield set, name and value of the unconditional properties in the order in which Pacemaker heeds them."""
    sets = [(ref, spec) for ref, spec in state.items() if isinstance(spec, ClusterProperties) and not spec.rule]
    sets.reverse()
    for ref, spec in sorted(sets, key=lambda item: (item[0].name != _FIRST, -score(item[1].score))):
        yield from ((ref.name, name, value) for name, value in spec.values.items())


def _fencing(state: State, observed: Observed) -> Iterator[str]:
    properties = heeded(state)
    found = fencing(properties, observed.cib.feature_set)
    if FENCING in properties and found.name != FENCING:
        yield f"{FENCING} has no effect: before 3.0.2 Pacemaker heeds {STONITH} only, which is {_word(found.enabled)}"
    if not found.enabled:
        yield f"{found.name} is false: what runs on a node that hangs may be started on another one too"
    elif lacks_device(state, observed):
        yield f"{found.name} is true and there is no STONITH resource: Pacemaker starts nothing; {remedy(found)}"


def heeded(state: State) -> dict[str, str]:
    """Return the unconditional properties, of several values of one name the one that Pacemaker heeds."""
    properties: dict[str, str] = {}
    for _, name, value in _properties(state):
        properties.setdefault(name, value)
    return properties


def remedy(found: Fencing) -> str:
    """Say what to do where fencing is on and nothing can fence."""
    return f"add a Primitive with agent stonith:..., or set {found.name} = false at your risk"


def _word(enabled: bool) -> str:
    return "true" if enabled else "false"


def lacks_device(state: State, observed: Observed) -> bool:
    """Tell whether there are resources and none of them fences."""
    primitives = [spec for spec in state.values() if isinstance(spec, Primitive)]
    # What cannot be read may be a device.
    unread = any(ref.kind == "Primitive" for ref in observed.unsupported)
    return bool(primitives) and not unread and not any(_is_device(spec, state) for spec in primitives)


def _is_device(primitive: Primitive, state: State) -> bool:
    template = state.get(Ref("Template", primitive.template)) if primitive.template else None
    agent = template.agent if isinstance(template, Template) else primitive.agent
    return (agent or "").startswith("stonith:")


def _overruled(wanted: State, state: State) -> Iterator[str]:
    heeded: dict[str, tuple[str, str]] = {}
    for group, name, value in _properties(state):
        heeded.setdefault(name, (group, value))
    for ref, spec in wanted.items():
        if not isinstance(spec, ClusterProperties) or spec.rule:
            continue
        for name, value in spec.values.items():
            group, other = heeded.get(name, (ref.name, value))
            if group != ref.name and _canonical(name, other) != value:
                yield f"{ref}: {name} = {value} has no effect: the property set {group} says {other}, and that counts"


def _canonical(name: str, value: str) -> str:
    try:
        return property_value(name, value)
    except ValueError:
        return value


def _left_outside(changes: Mapping[Ref, Change], wanted: State, observed: Observed) -> Iterator[str]:
    for ref, change in changes.items():
        for name in left(ref, change):
            member = observed.by_name[name]
            if member not in wanted and name not in observed.owned:
                yield f"{member}, which is not ours, leaves {ref} and stands on its own"


def _no_such_node(wanted: State, state: State, observed: Observed) -> Iterator[str]:
    nodes = {ref.name for ref in (*observed.state, *observed.unsupported) if ref.kind == "Node"}
    strange: dict[str, list[Ref]] = {}
    for ref, spec in wanted.items():
        for name in dict.fromkeys(_nodes(spec)):
            if name not in nodes:
                strange.setdefault(name, []).append(ref)
    if not nodes or not strange:
        return
    resources = {ref.name for ref in (*state, *observed.unsupported) if ref.kind == "Primitive"}
    guests = {value_in(getattr(spec, "meta", ()), "remote-node") for spec in state.values()}
    for name, refs in strange.items():
        if name not in resources | guests and not _of_bundle(name, state):
            more = f" and {len(refs) - _FEW} more" if len(refs) > _FEW else ""
            who = ", ".join(map(str, refs[:_FEW]))
            yield f"{who}{more}: the cluster has no node {name}; its nodes: {', '.join(sorted(nodes))}"


def _nodes(spec: Spec) -> Iterator[str]:
    """Yield the nodes that it names."""
    match spec:
        case Location(node=str(name)):
            yield name
        case FencingTopology(levels=levels):
            yield from (level.target for level in levels if level.target is not None)
        case _:
            pass


def _no_such_device(wanted: State, state: State, observed: Observed) -> Iterator[str]:
    """Yield the devices without which a level fences nobody, as long as they are not there."""
    there = {ref.name for ref in (*state, *observed.unsupported, *observed.unknown)}
    for ref, spec in wanted.items():
        if isinstance(spec, FencingTopology):
            for reference in CLUSTER_KINDS[ref.kind].references(spec):
                if reference.name not in there:
                    yield _names_nothing(ref, reference)


def _of_bundle(node: str, state: State) -> bool:
    """True if a node is the inside of a container, which is named after its bundle and counted from 0."""
    name, _, replica = node.rpartition("-")
    return replica.isdigit() and Ref("Bundle", name) in state


def _doubtful_rules(changes: Mapping[Ref, Change]) -> Iterator[str]:
    for ref, change in changes.items():
        for _, part in located(change.after, Rule) if change.after is not None else ():
            if part.expression is not None:
                for doubt in rules.doubts(rules.parse(part.expression)):
                    yield f"{ref}: {part.expression}: {doubt}"


def _without_effect(changes: Mapping[Ref, Change], observed: Observed, configuration: ET.Element) -> Iterator[str]:
    loose = {
        (ref, reference)
        for ref, change in changes.items()
        if change.after is not None
        for reference in CLUSTER_KINDS[ref.kind].references(change.after)
        if reference.loose and reference.name not in observed.cib.by_id
    }
    ids = (element.get("id") for element in configuration.iter() if element.tag not in NAMED_BY_ID)
    there = set(ids) if loose else set()
    for ref, reference in sorted(loose, key=lambda item: (item[0], item[1].name)):
        if reference.name not in there:
            yield _names_nothing(ref, reference)


def _names_nothing(ref: Ref, reference: Reference) -> str:
    return f"{ref}: {reference.field} names {reference.name}, which does not exist"
