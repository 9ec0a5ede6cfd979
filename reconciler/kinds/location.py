"""Location: on which nodes a resource prefers to run, or must not. Pure."""

from typing import Annotated, Literal, Self
from xml.etree import ElementTree as ET

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from reconciler.cib import crm
from reconciler.kinds.base import (
    RESOURCES,
    ClusterKind,
    Reader,
    Reference,
    arrange,
    element,
    fresh_id,
    keep_words,
    observed,
)
from reconciler.kinds.rule import Role, Rule, Score, read_rule, write_rule
from reconciler.state import Scope, Spec


def _not_default(default: str) -> AfterValidator:
    return AfterValidator(lambda text: None if text == default else text)


class Location(Spec):
    """On which nodes a resource prefers to run, or must not: a node with a score, or rules."""

    resource: str = Field(description="The name of the resource.")
    node: str | None = Field(default=None, description="The name of the node; with `score`.")
    score: Score | None = Field(default=None, description="How much: INFINITY, -INFINITY, or a number such as 100.")
    rules: tuple[Rule, ...] = Field(default=(), description="Instead of a node: where these rules hold.")
    role: Annotated[Role | None, _not_default("Started")] = Field(
        default=None, description="The constraint counts only for instances in this role."
    )
    resource_discovery: Annotated[Literal["always", "never", "exclusive"] | None, _not_default("always")] = Field(
        default=None, description="Where Pacemaker looks for the resource: always, never, exclusive."
    )

    @model_validator(mode="after")
    def _one_form(self, info: ValidationInfo) -> Self:
        if info.context:
            return self
        if self.rules and (self.node or self.score):
            raise ValueError("has both rules and a node or score: use one form")
        if not self.rules and not (self.node and self.score):
            raise ValueError("needs `node` and `score`, or `rules`")
        if any(not rule.score and not rule.score_attribute for rule in self.rules):
            raise ValueError("a rule needs a `score` or a `score-attribute`")
        return self


_FIELDS = {
    "resource": "rsc",
    "node": "node",
    "score": "score",
    "role": "role",
    "resource_discovery": "resource-discovery",
}


def _read(location: ET.Element) -> Location:
    reader = Reader(location)
    reader.take("id")
    fields = {name: reader.take(attribute) for name, attribute in _FIELDS.items()}
    rules = tuple(read_rule(rule) for rule in reader.elements("rule"))
    reader.done()
    return observed(Location, rules=rules, **fields)


def _write(name: str, spec: Location, live: ET.Element | None) -> ET.Element:
    fields = {attribute: getattr(spec, field) for field, attribute in _FIELDS.items()}
    written = element("rsc_location", live, id=name, **fields)
    before = [] if live is None else live.findall("rule")
    used = {rule.get("id") for rule in before}
    for index, rule in enumerate(spec.rules):
        same = before[index] if index < len(before) else None
        written.append(write_rule(fresh_id(f"{name}-rule", used) if same is None else name, rule, same))
    return arrange(keep_words(written, live, _read), live)


def _crm(name: str, spec: Location) -> str:
    options = [f"role={spec.role}"] if spec.role else []
    options += [f"resource-discovery={spec.resource_discovery}"] if spec.resource_discovery else []
    if spec.rules:
        rules = [word for rule in spec.rules for word in ("rule", *crm.rule(rule))]
        return crm.line("location", name, spec.resource, *options, *rules)
    return crm.line("location", name, spec.resource, *options, f"{crm.short_score(spec.score or '')}:", spec.node or "")


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
    references=lambda spec: (Reference("resource", spec.resource, RESOURCES),),
)
