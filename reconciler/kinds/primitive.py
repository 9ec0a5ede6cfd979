"""Primitive: one resource that an agent starts, stops and monitors; STONITH devices too. Pure."""

from typing import Annotated, Self
from xml.etree import ElementTree as ET

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from reconciler.cib import crm, values
from reconciler.kinds.base import Around, ClusterKind, Kept, Reader, Remark, arrange, element, observed
from reconciler.kinds.described import read_described, write_described
from reconciler.kinds.meta import SHARED_META, keep_meta
from reconciler.kinds.nvset import AttributeSets, MetaAttributes, read_sets
from reconciler.kinds.nvset_xml import write_sets
from reconciler.kinds.operation import (
    Operations,
    OperationsId,
    OperationsIdRef,
    check_operations,
    keep_defaults,
    read_operations,
    write_operations,
)
from reconciler.state import Scope, Spec


class Primitive(Spec):
    """One resource that the cluster runs on one node at a time."""

    IDENTITY = ("operations_id",)

    agent: Annotated[str, AfterValidator(values.agent)] = Field(
        description="The resource agent: `ocf:heartbeat:IPaddr2`, `systemd:nginx`, `stonith:fence_ipmilan`.",
        examples=["ocf:heartbeat:IPaddr2"],
    )
    description: Remark = Field(default=None, description="A remark.")
    params: AttributeSets = Field(default=(), description="The agent's parameters.")
    meta: MetaAttributes = Field(default=(), description="Meta attributes: what Pacemaker itself heeds.")
    utilization: AttributeSets = Field(default=(), description="How much of a node's capacities it takes.")
    operations: Operations = Field(default=(), description="Operations with their intervals and timeouts.")
    operations_id: OperationsId = None
    operations_id_ref: OperationsIdRef = None

    @model_validator(mode="after")
    def _distinct_operations(self, info: ValidationInfo) -> Self:
        if not info.context:
            check_operations(self)
        return self


def _read(primitive: ET.Element, named: frozenset[str] = frozenset()) -> Primitive:
    reader = Reader(primitive)
    reader.take("id")
    parts = (reader.take("class"), reader.take("provider"), reader.take("type"))
    described = read_described(reader, named)
    utilization = read_sets(reader.elements("utilization"), named)
    operations = read_operations(reader.elements("operations"), named)
    reader.done()
    agent = ":".join(part for part in parts if part)
    return observed(Primitive, agent=agent, utilization=utilization, **described, **operations)


def _write(name: str, spec: Primitive, live: ET.Element | None) -> ET.Element:
    agent = values.split_agent(spec.agent)
    written = element(
        "primitive",
        live,
        id=name,
        class_=agent.standard,
        provider=agent.provider,
        type=agent.type,
        description=spec.description,
    )

    def old(tag: str) -> list[ET.Element]:
        return [] if live is None else live.findall(tag)

    written.extend(write_described(name, spec, live))
    written.extend(write_sets("utilization", name, spec.utilization, old("utilization")))
    written.extend(write_operations(name, spec, old("operations")))
    return arrange(written, live)


def _crm(name: str, spec: Primitive) -> str:
    if spec.operations_id or spec.operations_id_ref:
        raise crm.UnsayableError("ids and references")
    return crm.line(
        "primitive",
        name,
        spec.agent,
        *crm.description(spec.description),
        *crm.sets("params", spec.params),
        *crm.sets("meta", spec.meta),
        *crm.sets("utilization", spec.utilization),
        *(word for operation in spec.operations for word in crm.operation(operation)),
    )


def _keep(desired: Primitive, live: Primitive | None, around: Around) -> Kept:
    kept = keep_meta(desired, live, around)
    if live is None or desired.operations == live.operations:
        return kept
    operations = keep_defaults(desired.operations, live.operations, around.op_defaults)
    return Kept(kept.spec.model_copy(update={"operations": operations}), kept.overrides)


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
    keep=_keep,
    shared=SHARED_META,
)
