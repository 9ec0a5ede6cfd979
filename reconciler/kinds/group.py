"""Group: primitives that run together on one node, started in order and stopped in reverse. Pure."""

from typing import Annotated
from xml.etree import ElementTree as ET

from pydantic import Field, field_validator

from reconciler.cib import crm
from reconciler.kinds.base import ClusterKind, Reader, Reference, Remark, arrange, element, observed
from reconciler.kinds.described import read_described, write_described
from reconciler.kinds.meta import SHARED_META, keep_meta
from reconciler.kinds.nvset import MetaAttributes
from reconciler.kinds.parameters import Parameters
from reconciler.state import Scope, Spec


class Group(Spec):
    """Primitives that run together on one node, started in order and stopped in reverse."""

    resources: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        json_schema_extra={"uniqueItems": True},
        description="The names of its primitives, in the order in which they are started.",
    )
    description: Remark = Field(default=None, description="A remark.")
    params: Parameters = Field(default=(), description="Parameters that all its primitives inherit.")
    meta: MetaAttributes = Field(default=(), description="Meta attributes that all its primitives inherit.")

    @field_validator("resources")
    @classmethod
    def _distinct(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise ValueError(f"{twice} is listed twice")
        return names


def _read(group: ET.Element, named: frozenset[str] = frozenset()) -> Group:
    reader = Reader(group)
    reader.take("id")
    resources = tuple(member.get("id", "") for member in reader.elements("primitive"))
    described = read_described(reader, named)
    reader.done()
    return observed(Group, resources=resources, **described)


def _write(name: str, spec: Group, live: ET.Element | None) -> ET.Element:
    written = element("group", live, id=name, description=spec.description)
    written.extend(write_described(name, spec, live))
    return arrange(written, live)


def _crm(name: str, spec: Group) -> str:
    return crm.line(
        "group",
        name,
        *spec.resources,
        *crm.description(spec.description),
        *crm.sets("params", spec.params),
        *crm.sets("meta", spec.meta),
    )


def _references(spec: Group) -> tuple[Reference, ...]:
    return tuple(Reference("resources", name, frozenset({"Primitive"})) for name in spec.resources)


KIND = ClusterKind(
    name="Group",
    scope=Scope.CLUSTER,
    spec=Group,
    summary="Primitives that run together on one node, started in order and stopped in reverse.",
    section="resources",
    tags=frozenset({"group"}),
    read=_read,
    write=_write,
    crm=_crm,
    references=_references,
    members=lambda spec: spec.resources,
    keep=keep_meta,
    shared=SHARED_META,
)
