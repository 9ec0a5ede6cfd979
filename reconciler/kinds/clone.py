"""Clone: a primitive or a group that runs on several nodes at once, promotable where its meta says so. Pure.

The older element `<master>` is a clone with `promotable=true` (pacemaker `lib/pengine/complex.c`); it is read as one
and keeps its spelling.
"""

from typing import Any
from xml.etree import ElementTree as ET

from pydantic import Field, ValidationInfo, field_validator

from reconciler.cib import crm
from reconciler.kinds.base import ClusterKind, Reader, Reference, Remark, UnsupportedError, arrange, element, observed
from reconciler.kinds.meta import SHARED_META, keep_meta
from reconciler.kinds.nvset import (
    META,
    VERBATIM,
    AttributeSet,
    AttributeSets,
    normal,
    read_sets,
    value_in,
    with_value,
    write_sets,
)
from reconciler.state import Scope, Spec


class Clone(Spec):
    """A primitive or a group that runs on several nodes at once."""

    resource: str = Field(description="The name of the primitive or group that is cloned.")
    description: Remark = Field(default=None, description="A remark.")
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
    inner = [member.get("id", "") for member in reader.elements("primitive", "group")]
    description = reader.take("description")
    params = read_sets(reader.elements("instance_attributes"))
    meta = read_sets(reader.elements("meta_attributes"))
    reader.done()
    if len(inner) != 1:
        raise UnsupportedError(f"it holds {len(inner)} resources")
    if clone.tag == "master":
        meta = with_value(meta, "promotable", "true")
    return observed(Clone, resource=inner[0], description=description, params=params, meta=meta)


def _write(name: str, spec: Clone, live: ET.Element | None) -> ET.Element:
    """Write a clone; one that is a `<master>` stays one as long as it is to be promotable."""
    master = live is not None and live.tag == "master" and value_in(spec.meta, "promotable") == "true"
    written = element("master" if master else "clone", live, id=name, description=spec.description)
    old = {} if live is None else {tag: live.findall(tag) for tag in ("meta_attributes", "instance_attributes")}
    said = [pair for item in old.get("meta_attributes", []) for pair in item.iter("nvpair")]
    implied = master and not any(pair.get("name") == "promotable" for pair in said)
    meta = _without_promotable(spec.meta) if implied else spec.meta
    for tag, sets, words in (("meta_attributes", meta, META), ("instance_attributes", spec.params, VERBATIM)):
        written.extend(write_sets(tag, name, sets, old.get(tag, []), words))
    return arrange(written, live)


def _without_promotable(sets: tuple[AttributeSet, ...]) -> tuple[AttributeSet, ...]:
    rest = [{name: value for name, value in item.values.items() if name != "promotable"} for item in sets]
    pairs = zip(sets, rest, strict=True)
    return tuple(item.model_copy(update={"values": values}) for item, values in pairs if values)


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
    shared=SHARED_META,
)
