"""Colocation: a resource runs where another runs, or where it does not. Pure."""

from typing import Annotated
from xml.etree import ElementTree as ET

from pydantic import AfterValidator, Field

from reconciler.cib import crm
from reconciler.kinds.base import RESOURCES, ClusterKind, Reader, Reference, arrange, element, keep_words, observed
from reconciler.kinds.operation import Boolean
from reconciler.kinds.rule import Role, Score
from reconciler.state import Scope, Spec

_StartedIsNone = AfterValidator(lambda text: None if text == "Started" else text)


class Colocation(Spec):
    """A resource runs where another runs (score above 0), or where it does not (below 0)."""

    resource: str = Field(description="The name of the resource that follows.")
    with_: str = Field(description="The name of the resource that leads: it is placed first.")
    score: Score = Field(description="INFINITY: must be together; -INFINITY: must be apart; a number: would rather.")
    role: Annotated[Role | None, _StartedIsNone] = Field(default=None, description="The follower's role.")
    with_role: Annotated[Role | None, _StartedIsNone] = Field(default=None, description="The leader's role.")
    node_attribute: str | None = Field(
        default=None, description="Together means: on nodes with the same value of this attribute."
    )
    influence: Boolean | None = Field(default=None, description="false: the follower may stop rather than move both.")


_FIELDS = {
    "resource": "rsc",
    "with_": "with-rsc",
    "score": "score",
    "role": "rsc-role",
    "with_role": "with-rsc-role",
    "node_attribute": "node-attribute",
    "influence": "influence",
}


def _read(colocation: ET.Element) -> Colocation:
    reader = Reader(colocation)
    reader.take("id")
    fields = {field: reader.take(name) for field, name in _FIELDS.items()}
    reader.done()
    return observed(Colocation, **fields)


def _write(name: str, spec: Colocation, live: ET.Element | None) -> ET.Element:
    fields = {attribute: getattr(spec, field) for field, attribute in _FIELDS.items()}
    return arrange(keep_words(element("rsc_colocation", live, id=name, **fields), live, _read), live)


def _crm(name: str, spec: Colocation) -> str:
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
    references=lambda spec: (
        Reference("resource", spec.resource, RESOURCES),
        Reference("with", spec.with_, RESOURCES),
    ),
)
