"""AclGroup: the roles of a group of users of the system. Pure."""

from xml.etree import ElementTree as ET

from pydantic import Field

from reconciler.cib import crm
from reconciler.kinds.acl import read_roles, role_references, write_roles
from reconciler.kinds.base import ClusterKind, Reader, arrange, element, observed
from reconciler.state import Scope, Spec


class AclGroup(Spec):
    """The roles of a group of users of the system."""

    roles: tuple[str, ...] = Field(default=(), description="The names of the roles.")
    name: str | None = Field(default=None, description="The group's name, if it is not `metadata.name` (schema 3.8).")


def _read(group: ET.Element, named: frozenset[str] = frozenset()) -> AclGroup:  # noqa: ARG001
    reader = Reader(group)
    reader.take("id")
    name, roles = reader.take("name"), read_roles(reader)
    reader.done()
    return observed(AclGroup, roles=roles, name=name)


def _write(name: str, spec: AclGroup, live: ET.Element | None) -> ET.Element:
    written = element("acl_group", live, id=name, name=spec.name)
    written.extend(write_roles(spec.roles, live))
    return arrange(written, live)


def _crm(name: str, spec: AclGroup) -> str:
    if spec.name or not spec.roles:
        raise crm.UnsayableError("another name, or no role")
    return crm.line("acl_group", name, *spec.roles)


KIND = ClusterKind(
    name="AclGroup",
    scope=Scope.CLUSTER,
    spec=AclGroup,
    summary="The roles of a group of users of the system.",
    section="acls",
    tags=frozenset({"acl_group"}),
    read=_read,
    write=_write,
    crm=_crm,
    references=lambda spec: role_references(spec.roles),
)
