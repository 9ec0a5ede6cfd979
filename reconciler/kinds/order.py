"""Order: one resource starts before another, and stops after it. Pure.

Defaults (pacemaker `lib/pacemaker/pcmk_sched_ordering.c`): kind Mandatory, first-action start, then-action the same as
first-action, symmetrical true unless the kind is Serialize, require-all true. What is said and equals its default means
the same as what is not said; an old `score` of 0 is Optional and any other is Mandatory.
"""

from typing import Annotated, Self
from xml.etree import ElementTree as ET

from pydantic import Field, ValidationInfo, model_validator

from reconciler.cib import crm, values
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
from reconciler.kinds.operation import Boolean
from reconciler.kinds.resource_set import (
    Action,
    OrderKind,
    ResourceSet,
    plain,
    read_resource_sets,
    set_references,
    write_resource_sets,
)
from reconciler.kinds.rule import Lifetime, read_lifetime, write_lifetime
from reconciler.kinds.written import Name
from reconciler.state import Scope, Spec


class Order(Spec):
    """One resource starts before another, and stops after it."""

    model_config = needs(["first", "then"], ["sets"])

    first: Name | None = Field(default=None, description="The name of the resource that goes first.")
    then: Name | None = Field(default=None, description="The name of the resource that follows.")
    first_action: Action | None = Field(default=None, description="What must have been done first; start.")
    then_action: Action | None = Field(default=None, description="What waits for it; the same as first-action.")
    kind: OrderKind | None = Field(
        default=None, description="Mandatory, Optional (only if both happen at once) or Serialize."
    )
    symmetrical: Boolean | None = Field(default=None, description="Stop in reverse order; true.")
    require_all: Annotated[Boolean | None, unless("true")] = Field(
        default=None, description="Wait for all instances of a cloned first; true."
    )
    sets: tuple[ResourceSet, ...] = Field(
        default=(), description="Instead of two resources: sets, of which each follows the one before it."
    )
    lifetime: Lifetime = ()

    @model_validator(mode="before")
    @classmethod
    def _without_defaults(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        fields = dict(given)
        first_action = fields.get("first-action", "start")
        if fields.get("then-action") == first_action:
            del fields["then-action"]
        if first_action == "start":
            fields.pop("first-action", None)
        if fields.get("kind") in ("Mandatory", "mandatory"):
            del fields["kind"]
        return fields

    @model_validator(mode="after")
    def _plain(self, info: ValidationInfo) -> Self:
        if not info.context:
            if self.sets and (self.first or self.then or self.first_action or self.then_action):
                raise ValueError("has `sets`, which say everything about the resources: use one form")
            if not self.sets and not (self.first and self.then):
                raise ValueError("needs `first` and `then`, or `sets`")
        short: dict[str, object] = {}
        if self.symmetrical == ("false" if self.kind == "Serialize" else "true"):
            short["symmetrical"] = None
        if len(self.sets) == 1:
            short["sets"] = plain(self.sets)
        return self.model_copy(update=short) if short else self


_FIELDS = {
    "first": "first",
    "then": "then",
    "first_action": "first-action",
    "then_action": "then-action",
    "symmetrical": "symmetrical",
    "require_all": "require-all",
}

_ORDER = ("lifetime", "resource_set")
"""In which order the schemas want what is inside."""


def _read(order: ET.Element, named: frozenset[str] = frozenset()) -> Order:
    reader = Reader(order)
    reader.take("id")
    score, kind = reader.take("score"), reader.take("kind")
    fields = {field: reader.take(name) for field, name in _FIELDS.items()}
    sets = read_resource_sets(reader.elements("resource_set"), named)
    lifetime = read_lifetime(reader.elements("lifetime"), named)
    reader.done()
    return observed(Order, kind=_kind(kind, score), sets=sets, lifetime=lifetime, **fields)


def _kind(kind: str | None, score: str | None) -> str | None:
    """Return what an order says, which may be said by a score of 0 as in releases before there were kinds."""
    return "Optional" if kind is None and score is not None and values.stored_score(score) == "0" else kind


def _write(name: str, spec: Order, live: ET.Element | None) -> ET.Element:
    fields = {attribute: getattr(spec, field) for field, attribute in _FIELDS.items()}
    written = element("rsc_order", live, id=name, kind=spec.kind, **fields)
    before = [] if live is None else live.findall("resource_set")
    written.extend(write_resource_sets(name, spec.sets, before, followed=len(spec.sets) > 1))
    written.extend(write_lifetime(name, spec.lifetime, live))
    written = keep_words(written, live, _read)
    if written.get("score") and written.get("kind"):  # the schema allows one of them
        said_by_score = live is not None and live.get("kind") is None and spec.kind == _kind(None, written.get("score"))
        del written.attrib["kind" if said_by_score else "score"]
    return arrange(written, live, _ORDER)


def _crm(name: str, spec: Order) -> str:
    if spec.first is None or spec.then is None or spec.lifetime or spec.require_all:
        raise crm.UnsayableError("sets, a lifetime or require-all")

    def side(resource: str, action: str | None) -> str:
        return f"{resource}:{action}" if action else resource

    options = [f"symmetrical={spec.symmetrical}"] if spec.symmetrical else []
    first, then = side(spec.first, spec.first_action), side(spec.then, spec.then_action)
    return crm.line("order", name, f"{spec.kind or 'Mandatory'}:", first, then, *options)


def _references(spec: Order) -> tuple[Reference, ...]:
    pair = (("first", spec.first), ("then", spec.then))
    return tuple(Reference(field, name, RESOURCES) for field, name in pair if name) + set_references(spec.sets)


KIND = ClusterKind(
    name="Order",
    scope=Scope.CLUSTER,
    spec=Order,
    summary="One resource starts before another, and stops after it.",
    section="constraints",
    tags=frozenset({"rsc_order"}),
    read=_read,
    write=_write,
    crm=_crm,
    references=_references,
)
