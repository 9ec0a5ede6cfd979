"""Clone: a primitive or a group that runs on several nodes at once, promotable where its meta says so. Pure.

The older element `<master>` is a clone with `promotable=true` (pacemaker `lib/pengine/complex.c`); it is read as one
and keeps its spelling.
"""

from typing import Any
from xml.etree import ElementTree as ET

from pydantic import Field, ValidationInfo, field_validator

from reconciler.cib import crm
from reconciler.kinds.base import ClusterKind, Reader, Reference, arrange, element, observed
from reconciler.kinds.meta import keep_meta
from reconciler.kinds.nvset import (
    META,
    VERBATIM,
    AttributeSet,
    AttributeSets,
    normal,
    read_sets,
    with_value,
    write_sets,
)
from reconciler.state import Scope, Spec


class Clone(Spec):
    """A primitive or a group that runs on several nodes at once."""

    resource: str = Field(description="The name of the primitive or group that is cloned.")
    description: str | None = Field(default=None, description="A remark.")
    params: AttributeSets = Field(default=(), description="Parameters that the resource inherits.")
    meta: AttributeSets = Field(
        default=(), description="Meta attributes: clone-max, interleave, `promotable = true` with promoted-max, …"
    )

    @field_validator("meta")
    @classmethod
    def _canonical_meta(cls, sets: Any, info: ValidationInfo) -> Any:
        return normal(sets, META, observed=bool(info.context))


def _read(clone: ET.Element) -> Clone:
    reader = Reader(clone)
    reader.take("id")
    meta = read_sets(reader.elements("meta_attributes"))
    inner = reader.elements("primitive", "group")
    spec = observed(
        Clone,
        resource=inner[0].get("id", "") if inner else "",
        description=reader.take("description"),
        params=read_sets(reader.elements("instance_attributes")),
        meta=with_value(meta, "promotable", "true") if clone.tag == "master" else meta,
    )
    reader.done()
    return spec


def _write(name: str, spec: Clone, live: ET.Element | None) -> ET.Element:
    master = live is not None and live.tag == "master"
    written = element("master" if master else "clone", live, id=name, description=spec.description)
    meta = tuple(_without_promotable(item) for item in spec.meta) if master else spec.meta
    for tag, sets, words in (("meta_attributes", meta, META), ("instance_attributes", spec.params, VERBATIM)):
        old = [] if live is None else live.findall(tag)
        written.extend(write_sets(tag, name, sets, old, words))
    return arrange(written, live)


def _without_promotable(item: AttributeSet) -> AttributeSet:
    rest = {name: value for name, value in item.values.items() if name != "promotable"}
    return item.model_copy(update={"values": rest})


def _crm(name: str, spec: Clone) -> str:
    return crm.line(
        "clone",
        name,
        spec.resource,
        *crm.description(spec.description),
        *crm.sets("params", spec.params),
        *crm.sets("meta", spec.meta),
    )


KIND = ClusterKind(
    name="Clone",
    scope=Scope.CLUSTER,
    spec=Clone,
    summary="A primitive or a group that runs on several nodes at once.",
    section="resources",
    tags=frozenset({"clone", "master"}),
    read=_read,
    write=_write,
    crm=_crm,
    references=lambda spec: (Reference("resource", spec.resource, frozenset({"Primitive", "Group"})),),
    members=lambda spec: (spec.resource,),
    keep=keep_meta,
)
