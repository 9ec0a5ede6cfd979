"""What access control lists are made of: permissions, and roles that users and groups have. Pure.

Schemas before 2.0 say permissions as `<read>`, `<write>` and `<deny>`, users as `<acl_user>` and their roles as
`<role_ref>`; they are read, and kept as they are.
"""

from collections.abc import Sequence
from typing import Annotated, Literal, Self
from xml.etree import ElementTree as ET

from pydantic import Field, ValidationInfo, model_validator

from reconciler.cib import crm
from reconciler.kinds.base import (
    Reader,
    Reference,
    Remark,
    UnsupportedError,
    element,
    fresh_id,
    matched,
    needs,
    observed,
)
from reconciler.kinds.written import CLOSED
from reconciler.state import Part

_OLD = ("read", "write", "deny")
_OLD_NAMES = {"object_type": "tag", "reference": "ref"}


class Permission(Part):
    """What may be read, written or neither. Of several that concern an element deny counts first, then write."""

    model_config = needs(["xpath"], ["reference"], ["object-type"])

    IDENTITY = ("id",)
    REFERRING = ("reference",)

    kind: Annotated[Literal["read", "write", "deny"], CLOSED] = Field(description="read, write or deny.")
    xpath: str | None = Field(default=None, description="The elements that this XPath finds in the CIB.")
    reference: str | None = Field(default=None, description="Or the one that has this id.")
    object_type: str | None = Field(default=None, description="Or those with this tag, e.g. primitive.")
    attribute: str | None = Field(default=None, description="Only this attribute of theirs; with `object-type`.")
    description: Remark = Field(default=None, description="A remark.")
    id: str | None = Field(default=None, description="Its id, where something refers to it.")

    @model_validator(mode="after")
    def _one_form(self, info: ValidationInfo) -> Self:
        if info.context:
            return self
        if sum(text is not None for text in (self.xpath, self.reference, self.object_type)) != 1:
            raise ValueError("needs one of `xpath`, `reference` and `object-type`")
        if self.attribute is not None and self.object_type is None:
            raise ValueError("has an `attribute` without an `object-type`")
        return self


_FIELDS = ("xpath", "reference", "object_type", "attribute", "description")


def read_permissions(reader: Reader, named: frozenset[str]) -> tuple[Permission, ...]:
    """Read the permissions in an element, in whatever form."""
    return tuple(_read(found, named) for found in reader.elements("acl_permission", *_OLD))


def _read(found: ET.Element, named: frozenset[str] = frozenset()) -> Permission:
    reader = Reader(found)
    name = reader.take("id")
    old = found.tag in _OLD
    kind = str(found.tag) if old else reader.take("kind")
    fields = {field: reader.take(_attribute(field, old=old)) for field in _FIELDS}
    reader.done()
    return observed(Permission, kind=kind, id=name if name in named else None, **fields)


def _attribute(field: str, *, old: bool) -> str:
    return _OLD_NAMES.get(field, field) if old else field.replace("_", "-")


def write_permissions(owner: str, permissions: Sequence[Permission], live: Sequence[ET.Element]) -> list[ET.Element]:
    """Return the elements that say the permissions, in order, keeping live elements and ids."""
    before = [found for found in live if found.tag in {"acl_permission", *_OLD}]
    used = {*(found.get("id") for found in before), *(item.id for item in permissions)}
    written = []
    for match in matched(permissions, before, _says):
        item, old = match.item, match.live
        if match.same and old is not None:
            written.append(old)
            continue
        name = item.id or (old.get("id") if old is not None else None) or fresh_id(f"{owner}-{item.kind}", used)
        fields = {field: getattr(item, field) for field in _FIELDS}
        written.append(element("acl_permission", old, id=name, kind=item.kind, **fields))
    return written


def _says(live: ET.Element, item: Permission) -> bool:
    return item.id in (None, live.get("id")) and _read(live) == item.model_copy(update={"id": None})


def say_permissions(permissions: Sequence[Permission]) -> list[str]:
    """Return crm's words for permissions."""
    words: list[str] = []
    for item in permissions:
        if item.id or item.description:
            raise crm.UnsayableError("ids and descriptions")
        words.append(item.kind)
        if item.xpath is not None:
            words.append(f"xpath:{crm.quote(item.xpath)}")
        elif item.reference is not None:
            words.append(f"ref:{item.reference}")
        else:
            words.append(f"type:{item.object_type}")
            words += [f"attribute:{item.attribute}"] if item.attribute else []
    return words


def read_roles(reader: Reader) -> tuple[str, ...]:
    """Read the roles of a user or a group."""
    found = reader.elements("role", "role_ref")
    if any(set(role.keys()) != {"id"} or len(role) for role in found):
        raise UnsupportedError("a <role> is more than an id")
    return tuple(role.get("id", "") for role in found)


def write_roles(roles: Sequence[str], live: ET.Element | None, tag: str = "role") -> list[ET.Element]:
    """Return the elements that name the roles, in order."""
    there = {role.get("id"): role for role in ([] if live is None else live.findall(tag))}
    return [there.get(role, ET.Element(tag, {"id": role})) for role in roles]


def role_references(roles: Sequence[str]) -> tuple[Reference, ...]:
    """Return what a user or a group names."""
    return tuple(Reference("roles", role, frozenset({"AclRole"})) for role in roles)
