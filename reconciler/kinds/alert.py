"""Alert: a program that Pacemaker runs when something happens. Pure."""

from typing import Annotated, Any, Literal, Self
from xml.etree import ElementTree as ET

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from reconciler.cib import crm
from reconciler.cib.document import children
from reconciler.kinds.base import ClusterKind, Reader, Remark, arrange, element, fresh_id, matched, observed
from reconciler.kinds.described import read_described, write_described
from reconciler.kinds.identity import anonymous
from reconciler.kinds.nvset import MetaAttributes
from reconciler.kinds.parameters import Parameters
from reconciler.state import Part, Scope, Spec

Event = Literal["attributes", "fencing", "nodes", "resources"]


def _sorted(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


class Recipient(Part):
    """To whom or what an alert goes."""

    IDENTITY = ("id",)

    value: str = Field(description="What the program gets as its recipient: an address, a file.")
    description: Remark = Field(default=None, description="A remark.")
    params: Parameters = Field(default=(), description="Variables for the program, for this recipient only.")
    meta: MetaAttributes = Field(default=(), description="timeout, timestamp-format, for this recipient only.")
    id: str | None = Field(default=None, description="Its id, where something refers to it.")


def _by_value(recipients: tuple[Recipient, ...]) -> tuple[Recipient, ...]:
    return tuple(sorted(recipients, key=_rank))


def _rank(recipient: Recipient) -> tuple[str, int, str, str]:
    """Order recipients by what they say; ids, which the live ones may not tell, come last."""
    words = anonymous(recipient).model_dump_json()
    return recipient.value, len(words), words, recipient.model_dump_json()


class Alert(Spec):
    """A program that Pacemaker runs when something happens."""

    path: str = Field(description="The program.")
    recipients: Annotated[tuple[Recipient, ...], AfterValidator(_by_value)] = Field(
        default=(), description="The program is run once for each."
    )
    select: Annotated[tuple[Event, ...], AfterValidator(_sorted)] = Field(
        default=(), description="What it is run for: nodes, fencing, resources, attributes; all but attributes."
    )
    select_attributes: Annotated[tuple[str, ...], AfterValidator(_sorted)] = Field(
        default=(), description="Run it for these node attributes, not for all."
    )
    description: Remark = Field(default=None, description="A remark.")
    params: Parameters = Field(default=(), description="Variables for the program.")
    meta: MetaAttributes = Field(default=(), description="timeout, timestamp-format.")

    @model_validator(mode="after")
    def _selects_attributes(self, info: ValidationInfo) -> Self:
        if self.select_attributes and "attributes" not in self.select and not info.context:
            raise ValueError("has `select-attributes` and no `attributes` in `select`")
        return self


def _read(alert: ET.Element, named: frozenset[str] = frozenset()) -> Alert:
    reader = Reader(alert)
    reader.take("id")
    fields: dict[str, Any] = {"path": reader.take("path"), **read_described(reader, named)}
    recipients = tuple(_read_recipient(found, named) for found in reader.elements("recipient"))
    for select in reader.elements("select"):
        fields |= _read_select(select)
    reader.done()
    return observed(Alert, recipients=recipients, **fields)


def _read_recipient(found: ET.Element, named: frozenset[str] = frozenset()) -> Recipient:
    reader = Reader(found)
    name, value = reader.take("id"), reader.take("value")
    described = read_described(reader, named)
    reader.done()
    return observed(Recipient, value=value, id=name if name in named else None, **described)


def _read_select(select: ET.Element) -> dict[str, tuple[str, ...]]:
    reader = Reader(select)
    events = reader.elements("select_nodes", "select_fencing", "select_resources", "select_attributes")
    reader.done()
    names: list[str] = []
    for event in events:
        inner = Reader(event)
        if event.tag == "select_attributes":
            for attribute in inner.elements("attribute"):
                one = Reader(attribute)
                one.take("id")
                names.append(one.take("name") or "")
                one.done()
        inner.done()
    kinds = tuple(str(event.tag).removeprefix("select_") for event in events)
    return {"select": kinds, "select_attributes": tuple(names)}


def _write(name: str, spec: Alert, live: ET.Element | None) -> ET.Element:
    written = element("alert", live, id=name, description=spec.description, path=spec.path)
    written.extend(write_described(name, spec, live))
    before = [] if live is None else live.findall("recipient")
    used = {*(found.get("id") for found in before), *(item.id for item in spec.recipients)}
    written.extend(_write_select(name, spec, None if live is None else live.find("select")))
    matches = matched(spec.recipients, before, _is_recipient, alike=_to_the_same)
    for match in sorted(matches, key=lambda match: len(before) if match.live is None else before.index(match.live)):
        item, old = match.item, match.live
        own = item.id or (old.get("id") if old is not None else None) or fresh_id(f"{name}-recipient", used)
        recipient = element("recipient", old, id=own, description=item.description, value=item.value)
        recipient.extend(write_described(own, item, old))
        written.append(old if match.same and old is not None else arrange(recipient, old))
    return arrange(written, live)


def _to_the_same(live: ET.Element, item: Recipient) -> bool:
    return live.get("value") == item.value


def _is_recipient(live: ET.Element, item: Recipient) -> bool:
    return item.id in (None, live.get("id")) and _read_recipient(live) == item.model_copy(update={"id": None})


def _write_select(name: str, spec: Alert, live: ET.Element | None) -> list[ET.Element]:
    said = {"select": spec.select, "select_attributes": spec.select_attributes}
    if live is not None and _sorted_values(_read_select(live)) == said:
        return [live]
    if not spec.select:
        return []
    select = ET.Element("select")
    old = {found.tag: found for found in children(live)}
    for event in spec.select:
        tag = f"select_{event}"
        written = ET.SubElement(select, tag)
        if event == "attributes":
            there = {found.get("name"): found for found in children(old.get(tag))}
            used = {found.get("id") for found in there.values()}
            for attribute in spec.select_attributes:
                own = fresh_id(f"{name}-select-{attribute}", used) if attribute not in there else ""
                written.append(there.get(attribute, ET.Element("attribute", {"id": own, "name": attribute})))
    return [select]


def _sorted_values(fields: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {name: _sorted(value) for name, value in fields.items()}


def _crm(name: str, spec: Alert) -> str:
    select: list[str] = ["select"] if spec.select else []
    for event in spec.select:
        select += [event, "{", *spec.select_attributes, "}"] if event == "attributes" else [event]
    recipients: list[str] = []
    for item in spec.recipients:
        sets = [*crm.sets("attributes", item.params), *crm.sets("meta", item.meta)]
        recipients += ["to", "{", crm.quote(item.value), *crm.description(item.description), *sets, "}"]
    return crm.line(
        "alert",
        name,
        crm.quote(spec.path),
        *crm.description(spec.description),
        *crm.sets("attributes", spec.params),
        *crm.sets("meta", spec.meta),
        *select,
        *recipients,
    )


KIND = ClusterKind(
    name="Alert",
    scope=Scope.CLUSTER,
    spec=Alert,
    summary="A program that Pacemaker runs when something happens.",
    section="alerts",
    tags=frozenset({"alert"}),
    read=_read,
    write=_write,
    crm=_crm,
)
