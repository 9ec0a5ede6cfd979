"""AclUser: the roles of a user of the system (`<acl_target>`). Pure.

A user's name is no id in the schemas, so another object may be called the same. It is recorded as ours with its tag
before it.
"""

from xml.etree import ElementTree as ET

from pydantic import Field

from reconciler.cib import crm
from reconciler.kinds.acl import (
    Permission,
    read_permissions,
    read_roles,
    role_references,
    write_permissions,
    write_roles,
)
from reconciler.kinds.base import ClusterKind, Reader, arrange, element, observed
from reconciler.state import Scope, Spec


class AclUser(Spec):
    """The roles of a user of the system."""

    roles: tuple[str, ...] = Field(default=(), description="The names of the roles.")
    name: str | None = Field(default=None, description="The user's name, if it is not `metadata.name` (schema 3.8).")
    permissions: tuple[Permission, ...] = Field(
        default=(), description="What the user may without a role; only in schemas before 2.0."
    )


def _read(user: ET.Element, named: frozenset[str] = frozenset()) -> AclUser:
    reader = Reader(user)
    reader.take("id")
    name = reader.take("name")
    roles, permissions = read_roles(reader), read_permissions(reader, named)
    reader.done()
    return observed(AclUser, roles=roles, name=name, permissions=permissions)


def _write(name: str, spec: AclUser, live: ET.Element | None) -> ET.Element:
    old = live is not None and live.tag == "acl_user"
    written = element("acl_user" if old else "acl_target", live, id=name, name=spec.name)
    written.extend(write_roles(spec.roles, live, "role_ref" if old else "role"))
    written.extend(write_permissions(name, spec.permissions, [] if live is None else list(live)))
    return arrange(written, live)


def _crm(name: str, spec: AclUser) -> str:
    if spec.name or spec.permissions or not spec.roles:
        raise crm.UnsayableError("another name, permissions, or no role")
    return crm.line("acl_target", name, *spec.roles)


KIND = ClusterKind(
    name="AclUser",
    scope=Scope.CLUSTER,
    spec=AclUser,
    summary="The roles of a user of the system.",
    section="acls",
    tags=frozenset({"acl_target", "acl_user"}),
    read=_read,
    write=_write,
    crm=_crm,
    references=lambda spec: role_references(spec.roles),
    named_apart="acl_target",
)
