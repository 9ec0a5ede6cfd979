"""What is allowed and yet dangerous, or does not do what it seems to: said with the plan, never in its way. Pure."""

from collections.abc import Iterator, Mapping
from xml.etree import ElementTree as ET

from reconciler.cib import rules
from reconciler.cib.document import NAMED_BY_ID, children
from reconciler.cib.values import property_value
from reconciler.kinds import CLUSTER_KINDS
from reconciler.kinds.cluster_properties import ClusterProperties
from reconciler.kinds.identity import located
from reconciler.kinds.location import Location
from reconciler.kinds.observe import Observed
from reconciler.kinds.rule import Rule
from reconciler.plan import Change
from reconciler.state import Ref, State
from reconciler.waiting import left

_FIRST = "cib-bootstrap-options"
"""Pacemaker reads this property set before the others (`lib/pengine/rules.c`, `sort_pairs`)."""


def cautions(
    changes: Mapping[Ref, Change], wanted: State, observed: Observed, configuration: ET.Element
) -> tuple[str, ...]:
    """Return one sentence for each; `configuration` is what the plan leads to."""
    found = [
        *_fencing(configuration),
        *_overruled(wanted, configuration),
        *_left_outside(changes, wanted, observed),
        *_no_such_node(wanted, configuration),
        *_doubtful_rules(changes),
        *_without_effect(changes, observed, configuration),
    ]
    return tuple(dict.fromkeys(found))


def _properties(configuration: ET.Element) -> Iterator[tuple[str, str, str]]:
    """Yield set, name and value of the unconditional properties in the order in which Pacemaker heeds them."""
    sets = [found for found in children(configuration.find("crm_config")) if found.find("rule") is None]
    for found in sorted(sets, key=lambda item: item.get("id") != _FIRST):
        for pair in found.iter("nvpair"):
            yield found.get("id", ""), pair.get("name", ""), pair.get("value", "")


def _fencing(configuration: ET.Element) -> Iterator[str]:
    said = next((value for _, name, value in _properties(configuration) if name == "stonith-enabled"), "true")
    resources = list(configuration.iter("primitive"))
    if said.lower() in {"false", "off", "no", "n", "0"}:
        yield "stonith-enabled is false: what runs on a node that hangs may be started on another one too"
    elif resources and not any(found.get("class") == "stonith" for found in resources):
        yield "stonith-enabled is true and there is no STONITH resource: Pacemaker starts nothing"


def _overruled(wanted: State, configuration: ET.Element) -> Iterator[str]:
    heeded: dict[str, tuple[str, str]] = {}
    for group, name, value in _properties(configuration):
        heeded.setdefault(name, (group, value))
    for ref, spec in wanted.items():
        if not isinstance(spec, ClusterProperties) or spec.rule:
            continue
        for name, value in spec.values.items():
            group, other = heeded.get(name, (ref.name, value))
            if group != ref.name and _canonical(name, other) != value:
                yield f"{ref}: {name} = {value} has no effect: the property set {group} says {other}, and comes first"


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


def _no_such_node(wanted: State, configuration: ET.Element) -> Iterator[str]:
    nodes = {node.get("uname", "") for node in children(configuration.find("nodes"))}
    if not nodes:
        return
    remote = {pair.get("value", "") for pair in configuration.iter("nvpair") if pair.get("name") == "remote-node"}
    known = nodes | remote | {resource.get("id", "") for resource in configuration.iter("primitive")}
    for ref, spec in wanted.items():
        if isinstance(spec, Location) and spec.node and spec.node not in known:
            yield f"{ref}: the cluster has no node {spec.node}; its nodes: {', '.join(sorted(nodes))}"


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
            yield f"{ref}: {reference.field} names {reference.name}, which does not exist"
