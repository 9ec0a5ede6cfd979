"""Template: what several primitives have in common. Pure."""

from typing import Annotated, Self
from xml.etree import ElementTree as ET

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from reconciler.cib import crm, values
from reconciler.kinds.base import Around, ClusterKind, Kept, Reader, Remark, arrange, element, observed
from reconciler.kinds.described import agent_attributes, keep_operations, read_agent, write_agent
from reconciler.kinds.nvset import AttributeSets, MetaAttributes
from reconciler.kinds.operation import Operations, OperationsId, OperationsIdRef, check_operations
from reconciler.kinds.parameters import Parameters
from reconciler.kinds.written import Written
from reconciler.state import Scope, Spec


class Template(Spec):
    """What several primitives have in common; each says what is different."""

    IDENTITY = ("operations_id",)
    REFERRING = ("operations_id_ref",)

    agent: Annotated[str, AfterValidator(values.agent), Written("Agent")] = Field(
        description="The resource agent: `ocf:heartbeat:IPaddr2`, `systemd:nginx`, `stonith:fence_ipmilan`.",
        examples=["ocf:heartbeat:IPaddr2"],
    )
    description: Remark = Field(default=None, description="A remark.")
    params: Parameters = Field(default=(), description="The agent's parameters.")
    meta: MetaAttributes = Field(default=(), description="Meta attributes: what Pacemaker itself heeds.")
    utilization: AttributeSets = Field(default=(), description="How much of a node's capacities each takes.")
    operations: Operations = Field(default=(), description="Operations with their intervals and timeouts.")
    operations_id: OperationsId = None
    operations_id_ref: OperationsIdRef = None

    @model_validator(mode="after")
    def _one_form(self, info: ValidationInfo) -> Self:
        if not info.context:
            check_operations(self)
        return self


def _read(template: ET.Element, named: frozenset[str] = frozenset()) -> Template:
    reader = Reader(template)
    reader.take("id")
    fields = read_agent(reader, named)
    reader.done()
    return observed(Template, **fields)


def _write(name: str, spec: Template, live: ET.Element | None) -> ET.Element:
    written = element("template", live, id=name, **agent_attributes(spec))
    written.extend(write_agent(name, spec, live))
    return arrange(written, live)


def _crm(name: str, spec: Template) -> str:
    if spec.operations_id or spec.operations_id_ref:
        raise crm.UnsayableError("ids and references")
    return crm.line(
        "rsc_template",
        name,
        spec.agent,
        *crm.description(spec.description),
        *crm.sets("params", spec.params),
        *crm.sets("meta", spec.meta),
        *crm.sets("utilization", spec.utilization),
        *(word for operation in spec.operations for word in crm.operation(operation)),
    )


def _keep(desired: Template, live: Template | None, around: Around) -> Kept:
    return Kept(keep_operations(desired, live, around))


KIND = ClusterKind(
    name="Template",
    scope=Scope.CLUSTER,
    spec=Template,
    summary="What several primitives have in common; each says what is different.",
    section="resources",
    tags=frozenset({"template"}),
    read=_read,
    write=_write,
    crm=_crm,
    keep=_keep,
)
