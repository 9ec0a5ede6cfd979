"""Primitive: one resource that an agent starts, stops and monitors; STONITH devices too. Pure."""

from dataclasses import replace
from typing import Annotated, Self
from xml.etree import ElementTree as ET

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from reconciler.cib import crm, values
from reconciler.kinds.base import (
    Around,
    ClusterKind,
    Kept,
    Reader,
    Reference,
    Remark,
    arrange,
    element,
    needs,
    observed,
)
from reconciler.kinds.described import agent_attributes, keep_operations, read_agent, write_agent
from reconciler.kinds.meta import SHARED_META, keep_meta
from reconciler.kinds.nvset import AttributeSets, MetaAttributes
from reconciler.kinds.operation import Operations, OperationsId, OperationsIdRef, check_operations
from reconciler.kinds.parameters import Parameters
from reconciler.kinds.written import Name, Written
from reconciler.state import Scope, Spec


class Primitive(Spec):
    """One resource that the cluster runs on one node at a time."""

    model_config = needs(["agent"], ["template"])

    IDENTITY = ("operations_id",)
    REFERRING = ("operations_id_ref",)

    agent: Annotated[str, AfterValidator(values.agent), Written("Agent")] | None = Field(
        default=None,
        description="The resource agent: `ocf:heartbeat:IPaddr2`, `systemd:nginx`, `stonith:fence_ipmilan`.",
        examples=["ocf:heartbeat:IPaddr2"],
    )
    template: Name | None = Field(
        default=None, description="Instead of `agent`: the template that says all that is not said here."
    )
    description: Remark = Field(default=None, description="A remark.")
    params: Parameters = Field(default=(), description="The agent's parameters.")
    meta: MetaAttributes = Field(default=(), description="Meta attributes: what Pacemaker itself heeds.")
    utilization: AttributeSets = Field(default=(), description="How much of a node's capacities it takes.")
    operations: Operations = Field(default=(), description="Operations with their intervals and timeouts.")
    operations_id: OperationsId = None
    operations_id_ref: OperationsIdRef = None

    @model_validator(mode="after")
    def _one_form(self, info: ValidationInfo) -> Self:
        if info.context:
            return self
        if bool(self.agent) == bool(self.template):
            raise ValueError("needs either an `agent` or a `template`")
        check_operations(self)
        return self


def _read(primitive: ET.Element, named: frozenset[str] = frozenset()) -> Primitive:
    reader = Reader(primitive)
    reader.take("id")
    fields = {"template": reader.take("template"), **read_agent(reader, named)}
    reader.done()
    return observed(Primitive, **fields)


def _write(name: str, spec: Primitive, live: ET.Element | None) -> ET.Element:
    written = element("primitive", live, id=name, template=spec.template, **agent_attributes(spec))
    written.extend(write_agent(name, spec, live))
    return arrange(written, live)


def _crm(name: str, spec: Primitive) -> str:
    if spec.operations_id or spec.operations_id_ref:
        raise crm.UnsayableError("ids and references")
    return crm.line(
        "primitive",
        name,
        spec.agent or f"@{spec.template}",
        *crm.description(spec.description),
        *crm.sets("params", spec.params),
        *crm.sets("meta", spec.meta),
        *crm.sets("utilization", spec.utilization),
        *(word for operation in spec.operations for word in crm.operation(operation)),
    )


def _keep(desired: Primitive, live: Primitive | None, around: Around) -> Kept:
    """Keep people's meta attributes, and the live words of operations: where a template says others they count."""
    kept = keep_meta(desired, live, around)
    if desired.template:
        return kept
    return replace(kept, spec=keep_operations(kept.spec, live, around))


def _references(spec: Primitive) -> tuple[Reference, ...]:
    return (Reference("template", spec.template, frozenset({"Template"})),) if spec.template else ()


KIND = ClusterKind(
    name="Primitive",
    scope=Scope.CLUSTER,
    spec=Primitive,
    summary="One resource that the cluster runs on one node at a time.",
    section="resources",
    tags=frozenset({"primitive"}),
    read=_read,
    write=_write,
    crm=_crm,
    references=_references,
    keep=_keep,
    shared=SHARED_META,
)
