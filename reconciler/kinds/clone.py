"""Clone: a primitive or a group that runs on several nodes at once, promotable where its meta says so. Pure.

The older element `<master>` is a clone with `promotable=true` (pacemaker `lib/pengine/complex.c`); it is read as one
and keeps its spelling.
"""

from xml.etree import ElementTree as ET

from pydantic import Field

from reconciler.cib import crm
from reconciler.kinds.base import ClusterKind, Reader, Reference, Remark, UnsupportedError, arrange, element, observed
from reconciler.kinds.described import read_described, write_described
from reconciler.kinds.meta import SHARED_META, keep_meta
from reconciler.kinds.nvset import UNCONDITIONAL, AttributeSet, MetaAttributes, read_sets, value_in, with_value
from reconciler.kinds.parameters import Parameters
from reconciler.state import Scope, Spec


class Clone(Spec):
    """A primitive or a group that runs on several nodes at once."""

    resource: str = Field(description="The name of the primitive or group that is cloned.")
    description: Remark = Field(default=None, description="A remark.")
    params: Parameters = Field(default=(), description="Parameters that the resource inherits.")
    meta: MetaAttributes = Field(
        default=(), description="Meta attributes: clone-max, interleave, `promotable = true` with promoted-max, …"
    )


def _read(clone: ET.Element, named: frozenset[str] = frozenset()) -> Clone:
    reader = Reader(clone)
    reader.take("id")
    inner = [member.get("id", "") for member in reader.elements("primitive", "group")]
    described = read_described(reader, named)
    reader.done()
    if len(inner) != 1:
        raise UnsupportedError(f"it holds {len(inner)} resources")
    if clone.tag == "master":
        described["meta"] = with_value(described["meta"], "promotable", "true")
    return observed(Clone, resource=inner[0], **described)


def _write(name: str, spec: Clone, live: ET.Element | None) -> ET.Element:
    """Write a clone; one that is a `<master>` stays one as long as it is to be promotable."""
    master = live is not None and live.tag == "master" and value_in(spec.meta, "promotable") == "true"
    written = element("master" if master else "clone", live, id=name, description=spec.description)
    before = () if live is None else read_sets(live.findall("meta_attributes"), frozenset())
    if master and value_in(before, "promotable") is None:
        spec = spec.model_copy(update={"meta": _without_promotable(spec.meta)})
    written.extend(write_described(name, spec, live))
    return arrange(written, live)


def _without_promotable(sets: tuple[AttributeSet, ...]) -> tuple[AttributeSet, ...]:
    left = (
        item.model_copy(update={"values": {name: text for name, text in item.values.items() if name != "promotable"}})
        if item.condition == UNCONDITIONAL
        else item
        for item in sets
    )
    return tuple(item for item in left if item.is_said)


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
