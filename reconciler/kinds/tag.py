"""Tag: a name for several objects, for people, tools and constraints. Pure.

A constraint that names a tag counts for everything in it. Since Pacemaker 2.0.3 (schema 3.3) a tag may list what is not
there, so what it lists is no reference that has to be kept.
"""

from typing import Annotated
from xml.etree import ElementTree as ET

from pydantic import AfterValidator, Field

from reconciler.cib import crm
from reconciler.kinds.base import ClusterKind, Reader, Reference, UnsupportedError, element, observed
from reconciler.state import Scope, Spec


def _sorted(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


class Tag(Spec):
    """A name for several objects, for people, tools and constraints."""

    objects: Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(_sorted)] = Field(
        description="The names of the objects: resources, constraints, whatever has an id."
    )


def _read(tag: ET.Element, named: frozenset[str] = frozenset()) -> Tag:  # noqa: ARG001
    reader = Reader(tag)
    reader.take("id")
    refs = reader.elements("obj_ref")
    reader.done()
    if any(set(ref.keys()) != {"id"} or len(ref) for ref in refs):
        raise UnsupportedError("an <obj_ref> is more than an id")
    return observed(Tag, objects=tuple(ref.get("id", "") for ref in refs))


def _write(name: str, spec: Tag, live: ET.Element | None) -> ET.Element:
    written = element("tag", live, id=name)
    kept = [ref for ref in (live if live is not None else ()) if ref.tag != "obj_ref" or ref.get("id") in spec.objects]
    said = {ref.get("id") for ref in kept}
    written.extend(kept)
    written.extend(ET.Element("obj_ref", {"id": name}) for name in spec.objects if name not in said)
    return written


def _crm(name: str, spec: Tag) -> str:
    return crm.line("tag", f"{name}:", *spec.objects)


def _references(spec: Tag) -> tuple[Reference, ...]:
    return tuple(Reference("objects", name, loose=True) for name in spec.objects)


KIND = ClusterKind(
    name="Tag",
    scope=Scope.CLUSTER,
    spec=Tag,
    summary="A name for several objects, for people, tools and constraints.",
    section="tags",
    tags=frozenset({"tag"}),
    read=_read,
    write=_write,
    crm=_crm,
    references=_references,
)
