"""What the ping resources report, what they could report at best, and what location rules ask for. Pure.

The agents ocf:pacemaker:ping and pingd write a node attribute (parameter `name`, by default pingd) whose value is the
number of answering hosts times `multiplier`; on stop they delete it.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from xml.etree.ElementTree import Element

from reconciler.cib.inventory import INFINITY, Configuration, Resource, elements, score
from reconciler.cib.membership import Node, NodeKind
from reconciler.frozen import frozen

AGENTS = frozenset({"ocf:pacemaker:ping", "ocf:pacemaker:pingd", "ocf:heartbeat:pingd"})
DEFAULT_NAME = "pingd"


@frozen
class PingRequirement:
    """The smallest score at which the location rules let a resource run on a node; 0 if it only has to be there."""

    resource: str
    minimum: int


@frozen
class PingAttribute:
    """One attribute that ping resources write.

    `expected` is the score with every host answering (None where hosts or multiplier are no numbers that hold on all
    nodes). `scores` has every cluster node and any other node with the attribute: None where it is missing or not a
    number; `present` are the nodes that have it at all.
    """

    name: str
    resources: tuple[str, ...]
    expected: int | None
    scores: Mapping[str, float | None]
    present: frozenset[str]
    required: tuple[PingRequirement, ...]


def ping_attributes(
    configuration: Configuration, resources: Mapping[str, Resource], nodes: Mapping[str, Node]
) -> tuple[PingAttribute, ...]:
    """Return the attributes that the configured ping resources write, by name."""
    writers: dict[str, dict[str, int | None]] = {}
    for resource in resources.values():
        if resource.agent in AGENTS:
            parameters = configuration.parameters(resource)
            writers.setdefault(parameters.get("name", DEFAULT_NAME), {})[resource.id] = _expected(parameters)
    if not writers:
        return ()
    requirements = _requirements(configuration, resources, frozenset(writers))
    return tuple(_attribute(name, writers[name], nodes, requirements.get(name, {})) for name in sorted(writers))


def _expected(parameters: Mapping[str, str]) -> int | None:
    multiplier = _number(parameters.get("multiplier", "1"))
    hosts = parameters.get("host_list", "").split()
    return None if multiplier is None or not hosts else int(len(hosts) * multiplier)


def _attribute(
    name: str, writers: Mapping[str, int | None], nodes: Mapping[str, Node], required: Mapping[str, int]
) -> PingAttribute:
    values = {node.name: node.attributes.get(name) for node in nodes.values()}
    candidates = {value for value in writers.values() if value is not None}
    return PingAttribute(
        name=name,
        resources=tuple(sorted(writers)),
        expected=max(candidates, default=None),
        scores={
            node: _number(value)
            for node, value in values.items()
            if value is not None or nodes[node].kind is NodeKind.MEMBER
        },
        present=frozenset(node for node, value in values.items() if value is not None),
        required=tuple(PingRequirement(resource, minimum) for resource, minimum in sorted(required.items())),
    )


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None else None
    except ValueError:
        return None
    return number if number is not None and abs(number) != float("inf") and number == number else None  # noqa: PLR0124


def _requirements(
    configuration: Configuration, resources: Mapping[str, Resource], names: frozenset[str]
) -> dict[str, dict[str, int]]:
    """Return per attribute and resource the smallest score that no forbidding rule objects to."""
    tags = tagged(configuration)
    found: dict[str, dict[str, int]] = {}
    for constraint in elements(configuration.section("constraints"), "rsc_location"):
        for rule in elements(constraint, "rule"):
            resolved = configuration.resolve(rule)
            if score(resolved.get("score")) > -INFINITY:
                continue
            for name in names & _asked(resolved):
                for resource in subjects(constraint, resources, tags):
                    known = found.setdefault(name, {})
                    known[resource] = max(known.get(resource, 0), _smallest_tolerated(resolved, name))
    return found


def tagged(configuration: Configuration) -> dict[str, list[str]]:
    """Return what each tag refers to."""
    return {
        tag.get("id", ""): [reference.get("id", "") for reference in elements(tag, "obj_ref")]
        for tag in elements(configuration.section("tags"), "tag")
    }


def subjects(constraint: Element, resources: Collection[str], tags: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """Yield the resources that a location constraint is about: one, a pattern's, or those of resource sets."""
    pattern = constraint.get("rsc-pattern")
    if pattern is not None:
        yield from _matching(pattern, resources)
    references = [constraint.get("rsc", "")]
    references += [item.get("id", "") for item in constraint.iter("resource_ref")]
    for reference in references:
        if reference in resources:
            yield reference
        else:
            yield from tags.get(reference, ())


def _matching(pattern: str, resources: Iterable[str]) -> list[str]:
    inverted = pattern.startswith("!")
    try:
        expression = re.compile(pattern.removeprefix("!"))
    except re.error:
        return []
    return [name for name in resources if (expression.search(name) is None) is inverted]


def _asked(rule: Element) -> set[str]:
    return {item.get("attribute", "") for item in rule.iter("expression")}


def _smallest_tolerated(rule: Element, name: str) -> int:
    """Return the smallest whole score at which the rule does not hold, 0 if it never holds, INFINITY if always."""
    bounds = {0}
    for item in rule.iter("expression"):
        bound = _number(item.get("value")) if item.get("attribute") == name else None
        if bound is not None:
            bounds |= {int(bound), int(bound) + 1}
    return next((bound for bound in sorted(bounds) if bound >= 0 and _holds(rule, name, bound) is not True), INFINITY)


def _holds(rule: Element, name: str, value: int) -> bool | None:
    """Judge a rule for one attribute being `value`; None where it says nothing about the attribute.

    Conditions on other attributes and on dates are passed over: what they would add is when the requirement holds.
    """
    verdicts = [
        verdict
        for item in elements(rule, "expression", "rule")
        if (verdict := _holds(item, name, value) if item.tag == "rule" else _expression(item, name, value)) is not None
    ]
    if not verdicts:
        return None
    return any(verdicts) if rule.get("boolean-op") == "or" else all(verdicts)


def _expression(item: Element, name: str, value: int) -> bool | None:
    if item.get("attribute") != name:
        return None
    operation = item.get("operation")
    if operation in ("defined", "not_defined"):
        return operation == "defined"
    bound = _number(item.get("value"))
    if bound is None:
        return None
    return {
        "lt": value < bound,
        "lte": value <= bound,
        "gt": value > bound,
        "gte": value >= bound,
        "eq": value == bound,
        "ne": value != bound,
    }.get(operation or "")
