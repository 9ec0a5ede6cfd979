"""AclRole: permissions that users and groups may have. Pure."""

from xml.etree import ElementTree as ET

from pydantic import Field

from reconciler.cib import crm
from reconciler.kinds.acl import Permission, read_permissions, say_permissions, write_permissions
from reconciler.kinds.base import ClusterKind, Reader, Remark, arrange, element, observed
from reconciler.state import Scope, Spec


class AclRole(Spec):
    """Permissions that users and groups may have. They count where the property enable-acl is true."""

    permissions: tuple[Permission, ...] = Field(default=(), description="What may be read, written or neither.")
    description: Remark = Field(default=None, description="A remark.")


def _read(role: ET.Element, named: frozenset[str] = frozenset()) -> AclRole:
    reader = Reader(role)
    reader.take("id")
    description = reader.take("description")
    permissions = read_permissions(reader, named)
    reader.done()
    return observed(AclRole, permissions=permissions, description=description)


def _write(name: str, spec: AclRole, live: ET.Element | None) -> ET.Element:
    written = element("acl_role", live, id=name, description=spec.description)
    written.extend(write_permissions(name, spec.permissions, [] if live is None else list(live)))
    return arrange(written, live)


def _crm(name: str, spec: AclRole) -> str:
    if not spec.permissions:
        raise crm.UnsayableError("a role without permissions")
    return crm.line("role", name, *crm.description(spec.description), *say_permissions(spec.permissions))


KIND = ClusterKind(
    name="AclRole",
    scope=Scope.CLUSTER,
    spec=AclRole,
    summary="Permissions that users and groups may have.",
    section="acls",
    tags=frozenset({"acl_role"}),
    read=_read,
    write=_write,
    crm=_crm,
)
