"""Ticket: a resource runs only where the site holds a ticket. Pure."""

from typing import Annotated, Literal, Self
from xml.etree import ElementTree as ET

from pydantic import Field, ValidationInfo, model_validator

from reconciler.cib import crm
from reconciler.kinds.base import (
    RESOURCES,
    ClusterKind,
    Reader,
    Reference,
    arrange,
    element,
    keep_words,
    needs,
    observed,
    unless,
)
from reconciler.kinds.resource_set import ResourceSets, read_resource_sets, set_references, write_resource_sets
from reconciler.kinds.rule import Role
from reconciler.kinds.written import CLOSED, Name
from reconciler.state import Scope, Spec

_Policy = Annotated[Literal["stop", "demote", "fence", "freeze"], CLOSED]


class Ticket(Spec):
    """A resource that runs only while the site holds a ticket (booth)."""

    model_config = needs(["resource"], ["sets"])

    ticket: str = Field(description="The name of the ticket.")
    resource: Name | None = Field(default=None, description="The name of the resource.")
    sets: ResourceSets = Field(default=(), description="Instead of `resource`: sets of resources.")
    role: Annotated[Role | None, unless("Started")] = Field(
        default=None, description="The ticket is needed only by instances in this role."
    )
    loss_policy: _Policy | None = Field(
        default=None,
        description="What happens without the ticket: stop, demote, fence or freeze. Demote for Promoted, else stop.",
    )

    @model_validator(mode="after")
    def _one_form(self, info: ValidationInfo) -> Self:
        if info.context:
            return self
        if bool(self.resource) == bool(self.sets):
            raise ValueError("needs either `resource` or `sets`")
        if self.sets and self.role:
            raise ValueError("has a `role` beside `sets`: each set says its own")
        return self

    @model_validator(mode="after")
    def _short_policy(self) -> Self:
        """Leave out the default, which hangs on the role (`rsc_ticket_new` in pacemaker `pcmk_sched_tickets.c`)."""
        if any(part.id_ref for part in self.sets):
            return self
        promoted = [role == "Promoted" for role in ([part.role for part in self.sets] or [self.role])]
        default = "demote" if all(promoted) else "" if any(promoted) else "stop"
        return self.model_copy(update={"loss_policy": None}) if self.loss_policy == default else self


_FIELDS = {"resource": "rsc", "role": "rsc-role", "ticket": "ticket", "loss_policy": "loss-policy"}


def _read(ticket: ET.Element, named: frozenset[str] = frozenset()) -> Ticket:
    reader = Reader(ticket)
    reader.take("id")
    fields = {field: reader.take(name) for field, name in _FIELDS.items()}
    sets = read_resource_sets(reader.elements("resource_set"), named)
    reader.done()
    return observed(Ticket, sets=sets, **fields)


def _write(name: str, spec: Ticket, live: ET.Element | None) -> ET.Element:
    fields = {attribute: getattr(spec, field) for field, attribute in _FIELDS.items()}
    written = element("rsc_ticket", live, id=name, **fields)
    written.extend(write_resource_sets(name, spec.sets, [] if live is None else live.findall("resource_set")))
    return arrange(keep_words(written, live, _read), live)


def _crm(name: str, spec: Ticket) -> str:
    if spec.resource is None:
        raise crm.UnsayableError("sets")
    resource = f"{spec.resource}:{spec.role}" if spec.role else spec.resource
    policy = [f"loss-policy={spec.loss_policy}"] if spec.loss_policy else []
    return crm.line("rsc_ticket", name, f"{spec.ticket}:", resource, *policy)


def _references(spec: Ticket) -> tuple[Reference, ...]:
    alone = (Reference("resource", spec.resource, RESOURCES),) if spec.resource else ()
    return alone + set_references(spec.sets)


KIND = ClusterKind(
    name="Ticket",
    scope=Scope.CLUSTER,
    spec=Ticket,
    summary="A resource that runs only while the site holds a ticket (booth).",
    section="constraints",
    tags=frozenset({"rsc_ticket"}),
    read=_read,
    write=_write,
    crm=_crm,
    references=_references,
)
