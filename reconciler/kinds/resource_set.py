"""A set of resources, as constraints name several at once. Pure.

Defaults (pacemaker `lib/pacemaker/pcmk_sched_ordering.c`, `pcmk_sched_colocation.c`): sequential true, require-all
true, action start, role Started. What is said and equals its default means the same as what is not said, but for
sequential between the sets of an order (`order_rsc_sets`): where it is said to be true, the next set follows the last
resource, where nothing is said each of them.
"""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Literal, Self
from xml.etree import ElementTree as ET

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from reconciler.kinds.base import (
    RESOURCES,
    Reader,
    Reference,
    UnsupportedError,
    element,
    fresh_id,
    keep_words,
    matched,
    needs,
    observed,
    unless,
)
from reconciler.kinds.operation import Boolean
from reconciler.kinds.rule import Role, Score
from reconciler.kinds.written import CLOSED, Written
from reconciler.state import Part

Action = Annotated[Literal["start", "stop", "promote", "demote"], CLOSED]
OrderKind = Annotated[
    Literal["Mandatory", "Optional", "Serialize"],
    BeforeValidator(lambda text: text.capitalize() if isinstance(text, str) else text, json_schema_input_type=str),
    Written("OrderKind"),
    CLOSED,
]


class ResourceSet(Part):
    """Resources that a constraint treats alike."""

    model_config = needs(["resources"], ["id-ref"])

    IDENTITY = ("id",)
    REFERRING = ("id_ref",)

    resources: tuple[str, ...] = Field(default=(), description="The names of the resources, in order.")
    sequential: Boolean | None = Field(
        default=None,
        description="false: the resources of the set have no order among themselves. true: nor has what is ordered "
        "after this set with any but the last of them.",
    )
    require_all: Annotated[Boolean | None, unless("true")] = Field(
        default=None, description="false: one resource of the set is enough for the next set."
    )
    ordering: Annotated[Literal["group", "listed"], CLOSED] | None = Field(
        default=None, description="group or listed (deprecated)."
    )
    action: Annotated[Action | None, unless("start")] = Field(default=None, description="What is ordered; start.")
    role: Annotated[Role | None, unless("Started")] = Field(
        default=None, description="The constraint counts only for instances in this role."
    )
    score: Score | None = Field(default=None, description="The score of this set, if not the constraint's.")
    kind: OrderKind | None = Field(default=None, description="The kind of ordering, if not the constraint's.")
    id_ref: str | None = Field(default=None, description="Instead of all else: the set that has this id.")
    id: str | None = Field(default=None, description="Its id, where another set refers to it by `id-ref`.")

    @model_validator(mode="after")
    def _one_form(self, info: ValidationInfo) -> Self:
        if info.context:
            return self
        if self.id_ref and self != ResourceSet.model_construct(id_ref=self.id_ref):
            raise ValueError("has `id-ref`: the set that it refers to says all else")
        if not self.id_ref and not self.resources:
            raise ValueError("needs `resources`, or an `id-ref`")
        if self.score and self.kind:
            raise ValueError("has both `score` and `kind`: use one")
        return self


def plain(sets: tuple[ResourceSet, ...]) -> tuple[ResourceSet, ...]:
    """Leave out what says no more than Pacemaker's default where no set is ordered with another."""
    return tuple(item.model_copy(update={"sequential": None}) if item.sequential == "true" else item for item in sets)


ResourceSets = Annotated[tuple[ResourceSet, ...], AfterValidator(plain)]

_FIELDS = ("sequential", "require_all", "ordering", "action", "role", "score", "kind")


def read_resource_sets(elements: Sequence[ET.Element], named: frozenset[str]) -> tuple[ResourceSet, ...]:
    """Read the sets of a constraint; `named` are the ids by which something refers to them.

    Raises:
        UnsupportedError: one has what no manifest can say.
    """
    return tuple(_read(element, named) for element in elements)


def _read(found: ET.Element, named: frozenset[str] = frozenset()) -> ResourceSet:
    reader = Reader(found)
    name, reference = reader.take("id"), reader.take("id-ref")
    fields = {field: reader.take(field.replace("_", "-")) for field in _FIELDS}
    refs = reader.elements("resource_ref")
    reader.done()
    if any(set(ref.keys()) != {"id"} or len(ref) for ref in refs):
        raise UnsupportedError("a <resource_ref> is more than an id")
    resources = tuple(ref.get("id", "") for ref in refs)
    own = name if name in named else None
    return observed(ResourceSet, resources=resources, id_ref=reference, id=own, **fields)


def write_resource_sets(
    owner: str, sets: Sequence[ResourceSet], live: Sequence[ET.Element], *, followed: bool = False
) -> list[ET.Element]:
    """Return the elements that say the sets, in order, keeping live elements and ids where they mean the same.

    Where one set is followed by the next, as in an order, a spelled-out `sequential="true"` means something.
    """
    used = {*(element.get("id") for element in live), *(item.id for item in sets)}

    def meaning(found: ET.Element, own: str | None) -> ResourceSet:
        item = _read(found).model_copy(update={"id": own})
        return item if followed else plain((item,))[0]

    def says(found: ET.Element, item: ResourceSet) -> bool:
        return item.id in (None, found.get("id")) and meaning(found, item.id) == item

    return [
        match.live
        if match.same and match.live is not None
        else keep_words(_write(owner, match.item, match.live, used), match.live, partial(meaning, own=match.item.id))
        for match in matched(sets, live, says)
    ]


def _write(owner: str, item: ResourceSet, live: ET.Element | None, used: set[str | None]) -> ET.Element:
    if item.id_ref is not None:
        return ET.Element("resource_set", {"id-ref": item.id_ref})
    name = item.id or (live.get("id") if live is not None else None) or fresh_id(f"{owner}-set", used)
    fields = {field: getattr(item, field) for field in _FIELDS}
    written = element("resource_set", live, id=name, **fields)
    refs = {ref.get("id"): ref for ref in (live if live is not None else ()) if ref.tag == "resource_ref"}
    written.extend(refs.get(resource, ET.Element("resource_ref", {"id": resource})) for resource in item.resources)
    return written


def set_references(sets: Sequence[ResourceSet]) -> tuple[Reference, ...]:
    """Return what the sets of a constraint name."""
    return tuple(Reference("sets", name, RESOURCES) for item in sets for name in item.resources)
