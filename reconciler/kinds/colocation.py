"""Colocation: a resource runs where another runs, or where it does not. Pure."""

from typing import Annotated, Self
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
from reconciler.kinds.operation import Boolean
from reconciler.kinds.resource_set import ResourceSets, read_resource_sets, set_references, write_resource_sets
from reconciler.kinds.rule import Lifetime, Role, Score, read_lifetime, write_lifetime
from reconciler.kinds.written import Name
from reconciler.state import Scope, Spec

_NO_SCORE = "0"
"""What Pacemaker takes a colocation of two resources without a score for (`unpack_simple_colocation`)."""


class Colocation(Spec):
    """A resource runs where another runs (score above 0), or where it does not (below 0)."""

    model_config = needs(["resource", "with", "score"], ["sets"])

    resource: Name | None = Field(default=None, description="The name of the resource that follows.")
    with_: Name | None = Field(default=None, description="The name of the resource that leads: it is placed first.")
    score: Score | None = Field(
        default=None, description="INFINITY: must be together; -INFINITY: must be apart; a number: would rather."
    )
    role: Annotated[Role | None, unless("Started")] = Field(default=None, description="The follower's role.")
    with_role: Annotated[Role | None, unless("Started")] = Field(default=None, description="The leader's role.")
    node_attribute: str | None = Field(
        default=None, description="Together means: on nodes with the same value of this attribute."
    )
    influence: Boolean | None = Field(default=None, description="false: the follower may stop rather than move both.")
    sets: ResourceSets = Field(
        default=(), description="Instead of two resources: sets, of which each is placed with the one before it."
    )
    lifetime: Lifetime = ()
    score_attribute: str | None = Field(default=None, description="Not looked at (schemas before 3.0).")
    score_attribute_mangle: str | None = Field(default=None, description="Not looked at (schemas before 3.0).")

    @model_validator(mode="after")
    def _one_form(self, info: ValidationInfo) -> Self:
        if info.context:
            return self
        if self.sets and (self.resource or self.with_ or self.role or self.with_role or self.node_attribute):
            raise ValueError("has `sets`, which say everything about the resources: use one form")
        if not self.sets and not (self.resource and self.with_):
            raise ValueError("needs `resource` and `with`, or `sets`")
        if not (self.sets or self.score or self.score_attribute or self.score_attribute_mangle):
            raise ValueError("needs a `score`: INFINITY for together, -INFINITY for apart")
        return self


_FIELDS = {
    "resource": "rsc",
    "with_": "with-rsc",
    "score": "score",
    "role": "rsc-role",
    "with_role": "with-rsc-role",
    "node_attribute": "node-attribute",
    "influence": "influence",
    "score_attribute": "score-attribute",
    "score_attribute_mangle": "score-attribute-mangle",
}

_SCORES = ("score", "score_attribute", "score_attribute_mangle")
"""Of which the schemas allow one."""

_ORDER = ("lifetime", "resource_set")
"""In which order the schemas want what is inside."""


def _read(colocation: ET.Element, named: frozenset[str] = frozenset()) -> Colocation:
    reader = Reader(colocation)
    reader.take("id")
    fields = {field: reader.take(name) for field, name in _FIELDS.items()}
    sets = read_resource_sets(reader.elements("resource_set"), named)
    lifetime = read_lifetime(reader.elements("lifetime"), named)
    reader.done()
    if not sets and not any(fields[field] for field in _SCORES):
        fields["score"] = _NO_SCORE
    return observed(Colocation, sets=sets, lifetime=lifetime, **fields)


def _write(name: str, spec: Colocation, live: ET.Element | None) -> ET.Element:
    fields = {attribute: getattr(spec, field) for field, attribute in _FIELDS.items()}
    if live is not None and live.get("score") is None and spec.score == _NO_SCORE:
        fields["score"] = None
    written = element("rsc_colocation", live, id=name, **fields)
    written.extend(write_resource_sets(name, spec.sets, [] if live is None else live.findall("resource_set")))
    written.extend(write_lifetime(name, spec.lifetime, live))
    return arrange(keep_words(written, live, _read), live, _ORDER)


def _crm(name: str, spec: Colocation) -> str:
    if spec.influence or spec.score_attribute or spec.score_attribute_mangle:
        raise crm.UnsayableError("influence, or an attribute for the score")
    if spec.resource is None or spec.with_ is None or spec.score is None or spec.lifetime:
        raise crm.UnsayableError("sets or a lifetime")
    if spec.node_attribute and spec.node_attribute != spec.node_attribute.lower():
        raise crm.UnsayableError("capitals in node-attribute, which it makes small")

    def side(resource: str, role: str | None) -> str:
        return f"{resource}:{role}" if role else resource

    options = [f"node-attribute={spec.node_attribute}"] if spec.node_attribute else []
    return crm.line(
        "colocation",
        name,
        f"{crm.short_score(spec.score)}:",
        side(spec.resource, spec.role),
        side(spec.with_, spec.with_role),
        *options,
    )


def _references(spec: Colocation) -> tuple[Reference, ...]:
    pair = (("resource", spec.resource), ("with", spec.with_))
    return tuple(Reference(field, name, RESOURCES) for field, name in pair if name) + set_references(spec.sets)


KIND = ClusterKind(
    name="Colocation",
    scope=Scope.CLUSTER,
    spec=Colocation,
    summary="A resource runs where another runs, or where it does not.",
    section="constraints",
    tags=frozenset({"rsc_colocation"}),
    read=_read,
    write=_write,
    crm=_crm,
    references=_references,
)
