"""Order: one resource starts before another, and stops after it. Pure.

Defaults (pacemaker `lib/pacemaker/pcmk_sched_ordering.c`): kind Mandatory, first-action start, then-action the same as
first-action, symmetrical true unless the kind is Serialize, require-all true. What is said and equals its default means
the same as what is not said; an old `score` of 0 is Optional and any other is Mandatory.
"""

from typing import Annotated, Literal, Self
from xml.etree import ElementTree as ET

from pydantic import BeforeValidator, Field, model_validator

from reconciler.cib import crm, values
from reconciler.kinds.base import RESOURCES, ClusterKind, Reader, Reference, arrange, element, keep_words, observed
from reconciler.kinds.operation import Boolean
from reconciler.state import Scope, Spec

Action = Literal["start", "stop", "promote", "demote"]


class Order(Spec):
    """One resource starts before another, and stops after it."""

    first: str = Field(description="The name of the resource that goes first.")
    then: str = Field(description="The name of the resource that follows.")
    first_action: Action | None = Field(default=None, description="What must have been done first; start.")
    then_action: Action | None = Field(default=None, description="What waits for it; the same as first-action.")
    kind: Annotated[
        Literal["Mandatory", "Optional", "Serialize"] | None,
        BeforeValidator(lambda text: text.capitalize() if isinstance(text, str) else text),
    ] = Field(default=None, description="Mandatory, Optional (only if both happen at once) or Serialize.")
    symmetrical: Boolean | None = Field(default=None, description="Stop in reverse order; true.")
    require_all: Boolean | None = Field(default=None, description="Wait for all instances of a cloned first; true.")

    @model_validator(mode="before")
    @classmethod
    def _without_defaults(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        fields = dict(given)
        first_action = fields.get("first-action") or "start"
        if fields.get("then-action") == first_action:
            del fields["then-action"]
        if first_action == "start":
            fields.pop("first-action", None)
        if fields.get("kind") in ("Mandatory", "mandatory"):
            del fields["kind"]
        return fields

    @model_validator(mode="after")
    def _plain(self) -> Self:
        symmetrical = "false" if self.kind == "Serialize" else "true"
        dropped: dict[str, None] = {}
        if self.symmetrical == symmetrical:
            dropped["symmetrical"] = None
        if self.require_all == "true":
            dropped["require_all"] = None
        return self.model_copy(update=dropped) if dropped else self


_FIELDS = {
    "first": "first",
    "then": "then",
    "first_action": "first-action",
    "then_action": "then-action",
    "symmetrical": "symmetrical",
    "require_all": "require-all",
}


def _read(order: ET.Element) -> Order:
    reader = Reader(order)
    reader.take("id")
    score, kind = reader.take("score"), reader.take("kind")
    if kind is None and score is not None and values.stored_score(score) == "0":
        kind = "Optional"
    fields = {field: reader.take(name) for field, name in _FIELDS.items()}
    reader.done()
    return observed(Order, kind=kind, **fields)


def _write(name: str, spec: Order, live: ET.Element | None) -> ET.Element:
    fields = {attribute: getattr(spec, field) for field, attribute in _FIELDS.items()}
    written = keep_words(element("rsc_order", live, id=name, kind=spec.kind, **fields), live, _read)
    if written.get("score") and written.get("kind"):  # the schema allows one of them
        del written.attrib["score"]
    return arrange(written, live)


def _crm(name: str, spec: Order) -> str:
    def side(resource: str, action: str | None) -> str:
        return f"{resource}:{action}" if action else resource

    options = [f"symmetrical={spec.symmetrical}"] if spec.symmetrical else []
    options += [f"require-all={spec.require_all}"] if spec.require_all else []
    first, then = side(spec.first, spec.first_action), side(spec.then, spec.then_action)
    return crm.line("order", name, f"{spec.kind or 'Mandatory'}:", first, then, *options)


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
    references=lambda spec: (Reference("first", spec.first, RESOURCES), Reference("then", spec.then, RESOURCES)),
)
