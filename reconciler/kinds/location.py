"""Location: on which nodes a resource prefers to run, or must not. Pure."""

from typing import Annotated, Literal, Self
from xml.etree import ElementTree as ET

from pydantic import Field, ValidationInfo, model_validator

from reconciler.cib import crm
from reconciler.kinds.base import (
    RESOURCES,
    ClusterKind,
    Reader,
    Reference,
    arrange,
    element,
    keep_words,
    needs,
    observed,
    unless,
)
from reconciler.kinds.resource_set import ResourceSets, read_resource_sets, set_references, write_resource_sets
from reconciler.kinds.rule import (
    Lifetime,
    Role,
    Rule,
    Score,
    read_lifetime,
    read_rule,
    write_lifetime,
    write_rules,
)
from reconciler.kinds.written import CLOSED, Name
from reconciler.state import Scope, Spec

_Discovery = Annotated[Literal["always", "never", "exclusive"], CLOSED]


class Location(Spec):
    """On which nodes a resource prefers to run, or must not: a node with a score, or rules."""

    model_config = needs(["resource"], ["resource-pattern"], ["sets"])

    resource: Name | None = Field(default=None, description="The name of the resource.")
    resource_pattern: Name | None = Field(
        default=None, description="Instead of `resource`: a regular expression for the names of resources."
    )
    sets: ResourceSets = Field(default=(), description="Instead of `resource`: sets of resources.")
    node: Name | None = Field(default=None, description="The name of the node; with `score`.")
    score: Score | None = Field(default=None, description="How much: INFINITY, -INFINITY, or a number such as 100.")
    rules: tuple[Rule, ...] = Field(default=(), description="Instead of a node: where these rules hold.")
    role: Annotated[Role | None, unless("Started")] = Field(
        default=None, description="The constraint counts only for instances in this role."
    )
    resource_discovery: Annotated[_Discovery | None, unless("always")] = Field(
        default=None, description="Where Pacemaker looks for the resource: always, never, exclusive."
    )
    lifetime: Lifetime = ()

    @model_validator(mode="after")
    def _one_form(self, info: ValidationInfo) -> Self:
        if info.context:
            return self
        if sum(map(bool, (self.resource, self.resource_pattern, self.sets))) != 1:
            raise ValueError("needs one of `resource`, `resource-pattern` and `sets`")
        if self.sets and self.role:
            raise ValueError("has a `role` beside `sets`: each set says its own")
        if self.rules and (self.node or self.score):
            raise ValueError("has both rules and a node or score: use one form")
        if not self.rules and not (self.node and self.score):
            raise ValueError("needs `node` and `score`, or `rules`")
        if any(not (rule.score or rule.score_attribute or rule.id_ref) for rule in self.rules):
            raise ValueError("a rule needs a `score` or a `score-attribute`")
        return self


_FIELDS = {
    "resource": "rsc",
    "resource_pattern": "rsc-pattern",
    "node": "node",
    "score": "score",
    "role": "role",
    "resource_discovery": "resource-discovery",
}

_ORDER = ("resource_set", "rule", "lifetime")
"""In which order the schemas want what is inside."""


def _read(location: ET.Element, named: frozenset[str] = frozenset()) -> Location:
    reader = Reader(location)
    reader.take("id")
    fields = {name: reader.take(attribute) for name, attribute in _FIELDS.items()}
    sets = read_resource_sets(reader.elements("resource_set"), named)
    rules = tuple(_scored(read_rule(rule, named)) for rule in reader.elements("rule"))
    lifetime = read_lifetime(reader.elements("lifetime"), named)
    reader.done()
    return observed(Location, sets=sets, rules=rules, lifetime=lifetime, **fields)


def _scored(rule: Rule) -> Rule:
    """Say what Pacemaker takes a rule without a score for (`generate_location_rule`)."""
    said = rule.score or rule.score_attribute or rule.id_ref
    return rule if said else rule.model_copy(update={"score": "0"})


def _unscored(rule: Rule, live: ET.Element | None) -> Rule:
    """Leave a score unsaid that the live rule does not say either."""
    silent = live is not None and rule.score == _scored(read_rule(live)).score and live.get("score") is None
    return rule.model_copy(update={"score": None}) if silent else rule


def _write(name: str, spec: Location, live: ET.Element | None) -> ET.Element:
    fields = {attribute: getattr(spec, field) for field, attribute in _FIELDS.items()}
    written = element("rsc_location", live, id=name, **fields)
    before = [] if live is None else live.findall("resource_set")
    written.extend(write_resource_sets(name, spec.sets, before))
    rules = [*([] if live is None else live.findall("rule")), *([None] * len(spec.rules))]
    written.extend(
        write_rules(name, [_unscored(rule, old) for rule, old in zip(spec.rules, rules, strict=False)], live)
    )
    written.extend(write_lifetime(name, spec.lifetime, live))
    return arrange(keep_words(written, live, _read), live, _ORDER)


def _crm(name: str, spec: Location) -> str:
    if spec.resource is None or spec.lifetime:
        raise crm.UnsayableError("a pattern, sets or a lifetime")
    options = [f"role={spec.role}"] if spec.role else []
    options += [f"resource-discovery={spec.resource_discovery}"] if spec.resource_discovery else []
    if spec.rules:
        rules = [word for rule in spec.rules for word in ("rule", *crm.rule(rule))]
        return crm.line("location", name, spec.resource, *options, *rules)
    return crm.line("location", name, spec.resource, *options, f"{crm.short_score(spec.score or '')}:", spec.node or "")


def _references(spec: Location) -> tuple[Reference, ...]:
    alone = (Reference("resource", spec.resource, RESOURCES),) if spec.resource else ()
    return alone + set_references(spec.sets)


KIND = ClusterKind(
    name="Location",
    scope=Scope.CLUSTER,
    spec=Location,
    summary="On which nodes a resource prefers to run, or must not.",
    section="constraints",
    tags=frozenset({"rsc_location"}),
    read=_read,
    write=_write,
    crm=_crm,
    references=_references,
)
